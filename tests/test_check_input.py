"""`check` from the command line: what it reads, what it refuses in one line, what it writes for programs."""

import json
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_report.core.cli import main
from dpo_report.core.manager import Host
from dpo_report.plugins.paper import markdown, tex
from dpo_report.plugins.paper.amounts import amounts
from dpo_report.plugins.paper.command import analysed

RUN = Path(__file__).parent / "runs" / "dpo-log1"


@pytest.fixture
def paper(tmp_path):
    """Writes a text into the paper's folder and gives its path."""

    def write(text, name="paper.tex"):
        path = tmp_path / "paper" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def run(capsys, *words):
    status = main(["check", *map(str, words)])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("The mean training loss was 0.692.", None),
        ("The mean training loss was $0.69$.", None),
        ("The mean training loss was 0.6918.", "wrongly rounded"),
        ("The mean training loss was 0.512.", "stale"),
        ("The final training loss was 0.6919.", "wrongly named"),
        ("The mean training loss was \\DpoLossTrainMean.", None),
        ("The final training loss was \\DpoLossTrainMean.", "wrongly named"),
        ("The mean training loss was \\DpoLossTrainAverage.", "unsupported"),
        ("The held-out loss was 0.5 after training.", "unsupported"),
        ("Something was 0.692. % dpo: loss.train.mean", None),
        ("Something was 0.592. % dpo: loss.train.mean", "stale"),
        ("Something final was 0.692. % dpo: loss.train.mean", "wrongly named"),
        ("The loss was 0.3 in the training run. % dpo: ignore", None),
        ("We trained with a learning rate of $5 \\times 10^{-6}$.", None),
        ("We trained with a learning rate of \\num{5e-6}.", None),
        ("We trained with a learning rate of $5 \\times 10^{-5}$.", "stale"),
        ("Training took \\qty{0.34}{\\second}.", None),
        ("Training took 0.57 minutes.", "stale"),
        ("\\newcommand{\\DpoStepsDone}{4} It took \\DpoStepsDone{} steps.", None),
        ("\\newcommand{\\DpoStepsDone}{5} It took \\DpoStepsDone{} steps.", "stale"),
        ("\\newcommand{\\tl}{0.512} The mean training loss was \\tl.", "stale"),
        ("\\begin{tabular}{lr} Mean training loss & 0.512 \\\\ \\end{tabular}", "stale"),
        ("\\begin{tabular}{lrr} Mean training loss & 0.692 & 0.512 \\\\ \\end{tabular}", None),
        ("\\begin{verbatim} mean training loss 0.512 \\end{verbatim}", None),
        ("% The mean training loss was 0.512.", None),
        ("\\cite{a} report a mean training loss of 0.512.", None),
        ("Training used TRL 1.16.", None),
        ("Training used TRL 1.15.", "stale"),
    ],
)
def test_every_kind_of_number(text, state, paper, capsys):
    status, out, _ = run(capsys, paper(text), RUN)
    assert (status, bool(state)) in ((0, False), (1, True))
    assert not state or f": {state}: " in out.replace("C2 ", "").replace("F1 ", "").replace("A3 ", "")


def test_a_fault_is_told_with_line_rule_and_rewrite(paper, capsys):
    status, out, err = run(capsys, paper("One.\n\nOur model is\nrobust.\n"), RUN)
    assert status == 1
    assert out.splitlines()[0].endswith("paper.tex:4: K1 forbidden: “robust”")
    assert "    write: The objective decreased on the training data." in out
    assert "    or: repeat" in out
    assert err == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Our method outperforms the baseline.", True),
        ("We clearly outperform prior work.", True),
        ("The tuned policy outperforms other models.", True),
        ("Prior work outperforms the baseline.", False),
        ("We do not claim that our model outperforms the baseline.", False),
        ("We follow a recipe that outperforms the baseline.", False),
    ],
)
def test_others_that_ours_is_said_to_be_better_than_do_not_excuse_it(text, told, paper, capsys):
    status, out, _ = run(capsys, paper(text), RUN)
    assert (status, "J4 forbidden: “outperform”" in out) == (int(told), told)


def test_quiet_says_nothing_about_a_clean_paper(paper, capsys):
    clean = paper("The mean training loss was 0.692.")
    assert run(capsys, "-q", clean, RUN) == (0, "", "")
    assert run(capsys, clean, RUN)[1] == "1 number of the run: 1 right; no sentence beyond it (1 sentence read)\n"


def test_json_and_sarif_name_file_line_and_rule(paper, capsys):
    text = paper("We trained.\nThe final training loss was 0.6919.\n")
    status, out, _ = run(capsys, text, RUN, "--format", "json")
    told = json.loads(out)
    assert (status, told["schema"], told["clean"]) == (1, 1, False)
    assert told["verdicts"][0]["state"] == "wrongly named"
    status, out, _ = run(capsys, text, RUN, "--format", "sarif")
    log = json.loads(out)
    result = log["runs"][0]["results"][0]
    assert (status, log["version"], result["ruleId"], result["level"]) == (1, "2.1.0", "C2", "error")
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 2}
    assert log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "C2"


def test_several_runs_allow_the_number_of_either(paper, capsys):
    text = paper("The mean training loss was 0.692 with eight pairs.\nThe held-out loss ended at 0.295.\n")
    assert run(capsys, text, RUN)[0] == 1
    assert run(capsys, text, RUN, RUN.parent / "dpo-eval")[0] == 0


def test_runs_are_judged_beside_each_other():
    """What several runs license together is licensed to a paper on all of them."""
    seeds = [Path(__file__).parent / "runs" / "dpo-seeds" / f"seed-{number}" for number in (1, 2, 3)]
    for paths, status in ((seeds, "found"), (seeds[:1], "not_applicable")):
        for analysis in analysed(paths, Host(discover=False)):
            assert [finding.status for finding in analysis.findings if finding.code == "J2"] == [status]


def test_what_cannot_be_checked_gives_2_and_one_line(paper, tmp_path, capsys):
    good = paper("The mean training loss was 0.692.")
    binary = paper(b"\x00\x01", "figure.tex")
    empty = tmp_path / "empty"
    empty.mkdir()
    gone = tmp_path / "run"
    shutil.copytree(RUN, gone)
    shutil.rmtree(gone)
    for words in ((tmp_path / "none.tex", RUN), (good, gone), (empty, RUN), (binary, RUN), (RUN / "config.json", RUN)):
        status, out, err = run(capsys, *words)
        assert (status, out) == (2, "")
        assert err.startswith("dpo-report: ")
        assert len(err.splitlines()) <= 2
    assert run(capsys, good)[0] == 2  # the usage


def test_latin_1_and_an_open_brace_are_told_and_the_rest_is_read(paper, capsys):
    text = "Das Modell \\emph{f\xe4llt auf.\n\nThe mean training loss was 0.512.\n".encode("latin-1")
    status, out, err = run(capsys, paper(text), RUN)
    assert status == 1
    assert "0.512" in out
    assert err.splitlines() == [
        "dpo-report: paper.tex:1: is not UTF-8, read as Latin-1",
        "dpo-report: paper.tex:1: a brace is opened here and never closed",
    ]


def test_parts_are_read_inside_the_paper_s_folder_only(paper, tmp_path, capsys):
    paper("The mean training loss was 0.512.\n", "sections/results.tex")
    (tmp_path / "secret.tex").write_text("The mean training loss was 0.4.\n")
    main_file = paper("\\input{sections/results}\n\\input{../secret}\n\\input{/etc/passwd}\n\\input{paper}\n")
    status, out, err = run(capsys, main_file, RUN)
    assert status == 1
    assert "sections/results.tex:1: stale" in out
    assert "0.4" not in out
    assert "../secret lies outside the paper's folder, left out" in err


def test_a_folder_is_read_whole_but_not_our_own_report_in_it(paper, tmp_path, capsys):
    paper("# Notes\n\nThe mean training loss was 0.512.\n", "notes.md")
    paper("The tuned model is robust.\n", "report/sections/results.tex")
    paper('{"schema": 1, "generator": {"name": "dpo-report"', "report/report.json")
    paper("\\newcommand{\\DpoStepsDone}{5} % steps.done\n", "report/numbers.tex")
    _, out, _ = run(capsys, tmp_path / "paper", RUN)
    assert "notes.md:3: stale" in out
    assert "report/numbers.tex:1: stale" in out
    assert "robust" not in out


def test_a_long_text_takes_no_more_than_in_proportion(paper, capsys):
    part = (Path(__file__).parent / "papers" / "planted.tex").read_text()
    body = part[part.index("\\section{Introduction}") : part.index("\\end{document}")]
    text = paper(body * (400_000 // len(body)))
    start = time.process_time()
    assert run(capsys, "-q", text, RUN)[0] == 1
    assert time.process_time() - start < 10  # one or two, with room for a slow machine


@given(st.text(st.sampled_from("\\{}[]$%&~^_-\n ab1.,:`'\"|#<>!(@*"), max_size=120))
def test_no_text_breaks_the_readers(text):
    for read in (tex.read, markdown.read):
        for sentence in read(text, "x").sentences:
            list(amounts(sentence.text))
            assert 1 <= sentence.line(len(sentence.text) - 1) <= text.count("\n") + 1


def test_help_tells_the_exit_status(capsys):
    assert main(["check", "--help"]) == 0
    out = capsys.readouterr().out
    assert "  dpo-report check paper.tex outputs/dpo" in out
    assert "exit status: 0 nothing falls short, 1 something does, 2" in out


def test_swapped_words_are_told(paper, capsys, tmp_path):
    shutil.copytree(RUN, tmp_path / "run")
    status, out, err = run(capsys, tmp_path / "run", paper("The loss fell."))
    assert (status, out) == (2, "")
    assert err.splitlines()[-1] == "  PAPER comes first, the runs after it"
