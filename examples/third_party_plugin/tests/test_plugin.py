"""The plugin as dpo-report uses it: read, counted, judged, drawn and written."""

import re

import dpo_report_edges
import pytest

from dpo_report.core.loader import load
from dpo_report.testing import analysed, finding, host_of, made_run, made_series, report_files, sentence, value

HEAD = "step\tright\tasked\n"


def counted(*counts):
    """A run with counts (step, right, asked)."""
    steps = [step for step, _, _ in counts]
    share = made_series("edges/share", [right / asked for _, right, asked in counts], "eval", steps=steps)
    return made_run(rows=[share, made_series("edges/asked", [asked for *_, asked in counts], "eval", steps=steps)])


@pytest.fixture
def folder(tmp_path):
    """Writes edges.tsv; gives its folder."""

    def written(text):
        run = tmp_path / "run"
        run.mkdir()
        (run / "edges.tsv").write_text(HEAD + text)
        return run

    return written


def test_it_is_well_made(dpo_host):
    assert dpo_host(dpo_report_edges).problems == ()


def test_it_reads_its_file(folder):
    run = load(folder("30\t78\t200\n0\t31\t200\n"), host=host_of(dpo_report_edges))
    share = run.series["edges/share", "eval"]
    assert list(share.steps) == [0, 30]
    assert list(share.values) == [31 / 200, 78 / 200]
    assert str(share.source_at(1)) == "edges.tsv: line 2"


@pytest.mark.parametrize("line", ["1\tx\t200", "1\t2", "1\t-1\t200", "1\t300\t200", "1\t0\t0", "1\t1\tinf"])
def test_a_broken_line_is_told_and_left_out(folder, line):
    run = load(folder(f"0\t31\t200\n{line}\n"), host=host_of(dpo_report_edges))
    assert len(run.series["edges/share", "eval"]) == 1
    (problem,) = [problem for problem in run.problems if problem.where == "edges.tsv"]
    assert problem.message.startswith("line 3 ")


def test_a_file_without_counts_is_told(folder):
    run = load(folder(""), host=host_of(dpo_report_edges))
    assert "holds no counts" in [problem.message for problem in run.problems]
    assert analysed(run, dpo_report_edges).run.name == run.name


def test_the_last_share_has_an_interval():
    last = value(counted((0, 31, 200), (30, 78, 200)), "edges.share.last", dpo_report_edges)
    assert (last.value, last.n) == (0.39, 200)
    assert (round(last.low, 3), round(last.high, 3)) == (0.325, 0.459)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([(0, 31, 200), (30, 78, 200)], "78 of 200 answers were right (95 % Wilson interval 0.33 to 0.46), more than"),
        ([(0, 78, 200), (30, 31, 200)], "31 of 200 answers were right (95 % Wilson interval 0.11 to 0.21), fewer than"),
        ([(0, 70, 200), (30, 78, 200)], "does not differ from the first count (70/200, step 0)"),
        ([(30, 78, 200)], "counted once, so nothing is said about a change."),
    ],
)
def test_no_change_is_claimed_that_chance_explains(counts, said):
    assert said in sentence(counted(*counts), "EDGES1", dpo_report_edges)


def test_a_run_without_counts_is_not_judged():
    assert finding(made_run(loss=[0.69, 0.5]), "EDGES1", dpo_report_edges).status == "not_applicable"


@pytest.mark.parametrize(
    ("written", "file"),
    [("latex", "sections/edges.tex"), ("markdown", "report.md"), ("typst", "report.typ"), ("html", "report.html")],
)
def test_the_section_stands_in_the_report(folder, written, file):
    files = report_files(folder("0\t31\t200\n30\t78\t200\n"), written, dpo_report_edges)
    text = " ".join(re.sub(r"<[^>]+>", "", files[file].decode()).split())
    assert "Edges" in text
    assert "of 200 answers were right" in text
    assert "Right answers, last count" in text


def test_the_values_are_a_table(folder):
    table = report_files(folder("0\t31\t200\n30\t78\t200\n"), "csv", dpo_report_edges)["report.csv"].decode()
    (row,) = [row for row in table.splitlines() if row.startswith("edges.share.last,")]
    assert ",0.39," in row
    assert row.endswith("edges.tsv: line 3")
