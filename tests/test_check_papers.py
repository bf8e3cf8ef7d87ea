"""`check` on whole texts: planted faults are found, honest texts raise no alarm, our own reports are clean."""

import re
from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.build import build
from dpo_report.core.loader import load
from dpo_report.plugins.paper import sources
from dpo_report.plugins.paper.check import check

HERE = Path(__file__).parent
PAPERS, RUNS = HERE / "papers", HERE / "runs"
PLANTED = {"planted.tex": "dpo-eval", "planted.md": "dpo-log1", "planted_lora.tex": "dpo-lora"}
HONEST = {"honest.tex": "dpo-eval", "honest.md": "dpo-log1", "honest_lora.md": "dpo-lora"}


def outcome(paper, *runs):
    return check(sources.read(paper), [analyse(load(run)) for run in runs])


def planted(path):
    """Line and rule (or state) of every fault that a text marks on the line after it."""
    for number, line in enumerate(path.read_text().splitlines()):
        marked = re.search(r"fault: ([\w; ]+?)\s*(?:-->)?$", line)
        for what in marked[1].split(";") if marked else ():
            yield number, what.strip()


def compared(name, run):
    """How many faults were planted, found, and found where none was planted."""
    wanted = list(planted(PAPERS / name))
    left, false = list(wanted), []
    for fault in outcome(PAPERS / name, RUNS / run).faults:
        hit = next((one for one in left if one in ((fault.line, fault.rule), (fault.line, fault.state))), None)
        if hit:
            left.remove(hit)
        else:
            false.append(fault)
    return wanted, left, false


@pytest.mark.parametrize("name", PLANTED)
def test_planted_faults_are_found_and_nothing_else(name):
    wanted, missed, false = compared(name, PLANTED[name])
    assert len(wanted) >= 30
    assert len(missed) <= 0.05 * len(wanted), missed
    assert not false


@pytest.mark.parametrize("name", HONEST)
def test_honest_texts_raise_no_alarm(name):
    found = outcome(PAPERS / name, RUNS / HONEST[name])
    assert not found.faults
    assert sum(verdict.state == "right" for verdict in found.verdicts) >= 20


KG = HERE.parent / "examples" / "runs"
FIRST_READ = {
    "planted_acl/main.tex": ([KG / "kg-heldout"], 40, 3),
    "planted_thesis/thesis.tex": ([RUNS / "sft", RUNS / "kto"], 38, 12),
}
"""Papers of several files that were written without a look at the rules: their runs, faults, and those still missed."""


@pytest.mark.parametrize("paper", FIRST_READ)
def test_papers_of_several_files_and_runs(paper):
    runs, planted_here, missed = FIRST_READ[paper]
    folder = (PAPERS / paper).parent
    wanted = {
        (str(path.relative_to(folder)), line, what) for path in folder.rglob("*.tex") for line, what in planted(path)
    }
    found = outcome(PAPERS / paper, *runs).faults
    places = {(one.file, one.line, what) for one in found for what in (one.rule, one.state)}
    assert wanted <= places
    assert {(file, line) for file, line, _ in places} == {(file, line) for file, line, _ in wanted}
    unseen = sum(path.read_text().count("% missed:") for path in folder.rglob("*.tex"))
    assert unseen == missed
    assert len(wanted) + missed >= planted_here - 1  # one line may hold a fault that is found under two rules


SEVERAL = {
    "honest_graph.tex": (KG / "kg-heldout", KG / "kg-8pairs-log1"),
    "honest_lab.md": (
        *(RUNS / "dpo-seeds" / f"seed-{n}" for n in (1, 2, 3)),
        RUNS / "dpo-killed",
        RUNS / "dpo-two-evalsets",
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_honest_texts_on_several_runs_raise_no_alarm(name):
    found = outcome(PAPERS / name, *SEVERAL[name])
    assert not found.faults
    assert sum(verdict.state == "right" for verdict in found.verdicts) >= 35


def test_honest_texts_are_long_enough_to_tell():
    assert sum(len((PAPERS / name).read_text().split()) for name in HONEST) >= 2000


@pytest.mark.parametrize("name", ["dpo-eval", "dpo-log1", "sft", "kto", "grpo"])
def test_our_own_reports_hold_their_own_test(name, tmp_path):
    report = build(RUNS / name, formats=("latex", "markdown"), out=tmp_path / "report")
    found = outcome(report.directory / "report.md", RUNS / name)
    assert not found.faults
    assert len(found.verdicts) > 50
    (report.directory / "report.json").unlink()  # now its parts are read as anybody's
    assert not outcome(report.directory, RUNS / name).faults


FIRST = [
    ("train_loss 0.4595 is the final training loss.", "C2", "0.460"),
    ("0.46 is reasonable for DPO.", "K3", "0.460"),
    ("Fast training time shows scalability.", "I3", "0.816"),
    ("Fast training time shows scalability.", "I2", "19.6 s"),
    ("which is efficient", "I2", "0.816"),
    ("learned to distinguish", "K5", "objective decreased"),
    ("The model successfully learned", "A5", "4"),
    ("The loss reduction of 34 %", "C4", "0.382"),
    ("sufficient for proof of concept", "H3", "8 pairs"),
    ("sufficient for proof of concept", "K4", "8 pairs"),
]


@pytest.fixture(scope="module")
def first_user():
    return outcome(PAPERS / "first_user.md", PAPERS / "first_user")


@pytest.mark.parametrize(("words", "rule", "instead"), FIRST)
def test_the_first_user_is_told_what_to_write(first_user, words, rule, instead):
    lines = (PAPERS / "first_user.md").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if words in text)
    fault = next(v for v in first_user.faults if v.line == line and v.rule == rule)
    assert instead in fault.rewrite


def test_the_first_user_s_numbers_are_right_and_nothing_else_is_told(first_user):
    assert len(first_user.faults) == len(FIRST)
    right = {verdict.value for verdict in first_user.verdicts if verdict.state == "right"}
    assert right >= {"train_loss", "throughput.samples", "runtime.train", "learning_rate", "epochs.done", "data.rows"}
