"""Sentences in a user's own words: by the code of their rule, filled with what fills the check's own sentence."""

from pathlib import Path

import pytest

from dpo_report import build
from dpo_report.core.errors import ReportError
from dpo_report.core.text import Text, join, say

RUN = Path(__file__).parents[1] / "examples" / "runs" / "kg-heldout"


@pytest.fixture
def write(tmp_path):
    """Writes one wording; builds with it; gives the report's text."""

    def written(family, name, text):
        file = tmp_path / "mine" / family / "wording" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        report = build(RUN, formats=family, out=tmp_path / "out", template_dirs=[tmp_path / "mine"])
        return {path.name: path.read_text() for path in report.files if path.suffix in (".tex", ".md", ".json")}

    return written


def test_a_sentence_remembers_what_filled_it():
    inner = say("of {n} pairs", n=8)
    text = say("{k} {rest}, {n}", k="7", rest=inner, n="outer")
    assert text.slots == {"k": "7", "rest": inner, "n": "outer"}
    assert say("{rest}", rest=inner).slots["n"] == 8
    assert join([say("{a}", a="1"), "x", say("{a} {b}", a="2", b="3")]).slots == {"a": "1", "b": "3"}
    assert (say("{a}", a="1") + say("{a}{b}", a="2", b="3")).slots == {"a": "1", "b": "3"}
    assert (say("{a}", a="1") + "x").slots == {"a": "1"}
    assert say("{a}", a="1") == Text(("1",))  # equal where they print the same


def test_a_rule_is_worded_anew(write):
    words = (
        "Mean {{ x }} over {{ over }}: {{ values['loss.train.mean'] }}, *not the end* {{ cite('rafailov2023dpo') }}.\n"
    )
    files = write("markdown", "C2.md", words)
    assert (
        "Mean 0.605 over all 30 steps: 0.605, *not the end* ([Rafailov et al., 2023](#rafailov2023dpo))."
        in files["report.md"]
    )
    assert "The training loss averaged over" not in files["report.md"]
    assert "The training loss averaged over" in files["report.json"]  # programs read the rule's own sentence
    assert "Over the last logged window" in files["report.md"]  # other rules stay


def test_it_stands_within_the_paragraph_in_latex_too(write):
    words = "\\BLOCK{if 'total' is defined}\\emph{\\VAR{total}} & \\VAR{finding.code}_\\VAR{said}\\BLOCK{endif}"
    files = write("latex", "B1.tex", words.replace("&", "\\&").replace("_", "\\_"))
    assert "\\emph{8 pairs} \\& B1\\_The effective batch size was 8 pairs" in files["methodology.tex"]
    assert "Training took 30 optimizer steps" in files["methodology.tex"]


@pytest.mark.parametrize(
    ("words", "told", "hint"),
    [
        ("one\n{{ nothing }}", "C2.md, line 2: 'nothing' is undefined", "known here: over, x, tail, finding, said"),
        ("{% if %}", "C2.md, line 1: ", ""),
        ("{{ run.epoch }}", "C2.md, line 1: ", ""),  # a float that nobody rounded
    ],
)
def test_what_is_wrong_in_it_is_told_with_file_and_line(write, tmp_path, words, told, hint):
    with pytest.raises(ReportError) as error:
        write("markdown", "C2.md", words)
    assert told in error.value.message
    assert hint in error.value.hint
    assert not (tmp_path / "out").exists()


def test_a_rule_that_says_nothing_is_not_worded(write):
    """F4 does not apply to this run, so nothing in its file is looked at."""
    assert "nothing_known" not in write("markdown", "F4.md", "{{ nothing_known }}")["report.md"]
