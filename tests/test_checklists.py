"""Checklists: what the run shows is answered with its evidence, everything else is visibly the author's."""

import re
import shutil
from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.build import build
from dpo_report.core.errors import ReportError
from dpo_report.core.loader import load
from dpo_report.plugins.checklists import STANDARDS, acl, lines, neurips
from typeset import compiled

ROOT = Path(__file__).parent
KG = ROOT.parent / "examples" / "runs" / "kg-heldout"
BOTH = {"section": "checklist-neurips,checklist-acl"}
SUFFIX = {"latex": "sections/checklist-{}.tex", "markdown": "report.md", "html": "report.html", "typst": "report.typ"}


def answers(run, section="checklist-neurips"):
    return {line.number: line for line in lines(analyse(load(run)), section)}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The example with an author's answers: some to the tool's questions, some to items themselves."""
    run = tmp_path_factory.mktemp("told") / "run"
    shutil.copytree(KG, run, ignore=shutil.ignore_patterns("report"))
    (run / "dpo-report.toml").write_text(
        "[answers]\n"
        'base-model = "SmolLM2-135M-Instruct, Apache-2.0"\n'
        'data-source = "made by make_pairs.py, CC0"\n'
        'hardware = "two CPU cores"\n'
        'compute = "two hours on the same machine"\n'
        'neurips-3 = "n/a: no theorem"\n'
        'neurips-12 = "Yes, Apache-2.0 and CC0"\n'
        'neurips-9 = "we kept to it"\n'
        'acl-d3 = "no - nobody was asked."\n',
        encoding="utf-8",
    )
    return run


@pytest.mark.parametrize(("standard", "count"), [(neurips, 16), (acl, 18)])
def test_every_item_of_the_standard_stands_once(standard, count):
    numbers = [item.number for item in standard.ITEMS]
    assert len(numbers) == len(set(numbers)) == count
    assert all(item.question.endswith("?") and item.ask for item in standard.ITEMS)


def test_the_run_alone_settles_what_it_shows_and_nothing_else():
    assert {n: line.mark for n, line in answers(KG).items() if line.mark} == {"2": "Yes"}
    settled = {n: line.mark for n, line in answers(KG, "checklist-acl").items() if line.mark}
    assert settled == {"A1": "Yes", "B6": "Yes", "C3": "Yes", "C4": "Yes"}


@pytest.mark.parametrize("section", STANDARDS)
def test_an_item_without_an_answer_holds_an_open_question(section):
    for line in answers(KG, section).values():
        assert bool(line.text.asks) == (not line.mark), line.number


def test_evidence_names_values_and_files():
    found = answers(KG)
    assert "learning rate 5 × 10⁻⁶" in str(found["6"].text) and "training_args.bin" in str(found["6"].text)
    assert "level 3 of 5" in str(found["1"].text)
    assert "38/48, 95 % Wilson interval 0.66 to 0.88 (trainer_state.json)" in str(found["7"].text)
    assert "one run (seed 42)" in str(found["7"].text)
    assert "Not known from it: the hardware or the cost of the whole project." in str(found["8"].text)


def test_the_author_s_answers_settle_the_rest(told):
    found = answers(told)
    assert [found[n].mark for n in ("3", "4", "8", "12")] == ["NA", "Yes", "Yes", "Yes"]
    assert str(found["3"].text) == "No theorem."
    assert str(found["12"].text).startswith("Apache-2.0 and CC0. Starting model: SmolLM2")
    assert answers(told, "checklist-acl")["D3"].mark == "No"
    assert "two CPU cores." in str(found["8"].text)


def test_an_answer_that_is_neither_yes_nor_no_stays_open(told):
    line = answers(told)["9"]
    assert not line.mark and line.told
    assert str(line.text).startswith("we kept to it") and line.text.asks


@pytest.mark.parametrize("run", ["dpo-killed", "dpo-nan", "sft", "grpo", "kto"])
@pytest.mark.parametrize("section", STANDARDS)
def test_any_run_can_be_asked(run, section):
    found = answers(ROOT / "runs" / run, section)
    assert len(found) == len(STANDARDS[section].ITEMS)
    assert not any(line.mark == "NA" for line in found.values())  # only an author can say that


def test_a_run_that_ended_early_claims_nothing():
    told = str(answers(ROOT / "runs" / "dpo-killed")["1"].text)
    assert "carries no claim: not even that training ran to its planned end." in told


def test_a_run_that_tells_no_plan_ended_all_the_same():
    told = str(answers(ROOT / "formats" / "allennlp")["1"].text)
    assert "carries no claim: it records that training ended, but not how many steps were planned." in told


@pytest.fixture(scope="module")
def report(told, tmp_path_factory):
    folder = tmp_path_factory.mktemp("built") / "report"
    return build(told, tuple(SUFFIX), folder, options=BOTH).directory


@pytest.mark.parametrize("family", SUFFIX)
@pytest.mark.parametrize("section", STANDARDS)
def test_each_format_prints_every_item(report, family, section):
    text = (report / SUFFIX[family].format(section.removeprefix("checklist-"))).read_text(encoding="utf-8")
    text = text.replace("{", "").replace("}", "")
    for item in STANDARDS[section].ITEMS:
        assert f"{item.title}." in text or f"{item.title}" in text, item.number


def test_the_latex_of_an_item_to_the_letter(report):
    text = (report / "sections" / "checklist-neurips.tex").read_text()
    assert (
        "\\DpoItem{3}{Theory}{NA}{Has every theoretical result its assumptions and a complete proof?}\n{No theorem.}"
        in text
    )
    assert "\\DpoItem{15}{Review board}{---}{" in text
    assert "\\DpoAsk{neurips-15}{Yours to answer, NA where nobody took part: no training run bears on this.}" in text


def test_the_markdown_of_an_item_to_the_letter(report):
    row = next(line for line in (report / "report.md").read_text().splitlines() if line.startswith("| **3** |"))
    asked = "Has every theoretical result its assumptions and a complete proof?"
    assert row == f"| **3** | **Theory.** {asked} | **[NA]** | No theorem. |"


def test_it_compiles_and_prints_marks_and_questions(report):
    page = compiled(report, "pdflatex")
    assert not page.errors and not page.overfull
    text = " ".join(page.text.split())
    assert "NeurIPS checklist" in text and "ACL checklist" in text
    assert "[NA]" in text and "[Yes]" in text
    assert len(re.findall(r"\[\? ", text)) >= 20


def test_a_report_that_asks_for_none_has_none(tmp_path):
    built = build(KG, ("latex", "markdown"), tmp_path / "report")
    assert not list(built.directory.glob("sections/checklist*"))
    assert "checklist" not in (built.directory / "report.tex").read_text()


def test_a_section_that_is_none_is_told(tmp_path):
    with pytest.raises(ReportError, match="no section checklist-icml") as told:
        build(KG, out=tmp_path / "report", options={"section": "checklist-icml"})
    assert "checklist-neurips" in str(told.value.hint)


def test_a_section_by_half_its_name_is_recognised(tmp_path):
    with pytest.raises(ReportError, match="no section NeurIPS") as told:
        build(KG, out=tmp_path / "report", options={"section": "NeurIPS"})
    assert told.value.hint == "did you mean checklist-neurips?"
