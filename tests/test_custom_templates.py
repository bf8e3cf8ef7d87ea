"""The example of templates of one's own: a changed section, a new one, a rule in other words, another language."""

import re
from pathlib import Path

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.build import build_runs
from dpo_report.core.cli import main
from dpo_report.core.dialect import dialect
from dpo_report.core.errors import ReportError
from dpo_report.core.loader import load
from dpo_report.core.render import Kit
from dpo_report.core.testing import host_of
from typeset import compiled

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "custom_templates"
RUN = ROOT / "examples" / "runs" / "kg-heldout"
FOLDERS = (path for folder in ("examples", "tests") for path in (ROOT / folder / "runs").iterdir() if path.is_dir())
RUNS = sorted(run for path in FOLDERS for run in (sorted(path.glob("seed-*")) or [path]))


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """A report with the templates of `paper`."""
    out = tmp_path_factory.mktemp("paper") / "report"
    words = ["-q", "-f", "latex,markdown", "--template-dir", str(EXAMPLE / "paper"), "-o", str(out)]
    assert main(["build", str(RUN), *words, "--plugin", str(EXAMPLE / "paper" / "sections.py")]) == 0
    return out


@pytest.mark.parametrize("name", ["report.md", "sections/discussion.tex"])
def test_a_section_builds_on_the_one_that_comes_with_the_tool(paper, name):
    text = " ".join((paper / name).read_text().split())
    ours = text.index("a chain counts as preferred if each of its edges is in the graph")
    assert ours < text.index("This run shows at most")


def test_a_section_is_added_at_its_place(paper):
    tex = (paper / "report.tex").read_text()
    assert tex.index("sections/limitations") < tex.index("sections/ethics") < tex.index("sections/reproducibility")
    assert "\\DpoSection{Ethics statement}" in (paper / "sections" / "ethics.tex").read_text()
    assert "## Ethics statement" in (paper / "report.md").read_text()


@pytest.mark.parametrize("name", ["report.md", "sections/results.tex"])
def test_a_rule_speaks_in_other_words(paper, name):
    text = " ".join((paper / name).read_text().split())
    assert "the loss was 0.605 (analytic starting value 0.693); it is a mean over training, not" in text.replace(
        "~", " "
    )
    assert "The training loss averaged over" not in text


def test_it_still_compiles(paper):
    document = compiled(paper, "pdflatex")
    assert (document.errors, document.undefined, document.overfull) == ([], [], [])
    assert "Ethics statement" in document.text


def test_the_report_is_german(tmp_path):
    (report,) = build_runs(RUN, "markdown", tmp_path / "out", template_dirs=[EXAMPLE / "german"])
    text = (report.directory / "report.md").read_text()
    for title in ("Methodik", "Ergebnisse", "Diskussion", "Grenzen", "Nachvollziehbarkeit", "Literatur"):
        assert f"\n## {title}\n" in text
    assert "Der Median des protokollierten Verlusts sank von 0.693 (Schritte 1 bis 3) auf 0.552" in text
    assert "Im Mittel über alle 30 Schritte betrug der Trainingsverlust 0.605." in text
    assert "| Mittlerer Verlust des Laufs | 0.6050 | — |" in text
    said = {finding.code for finding in report.analyses[0].findings if finding.status == "found"}
    worded = {path.stem for path in (EXAMPLE / "german" / "markdown" / "wording").iterdir()}
    assert said <= worded
    own = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL).split("## Literatur")[0]
    assert re.findall(r"\b(?:the|of|and|step|training|held-out|logged)\b", own) == []
    assert "7 von 8 Trainingspaaren" in text and "**[? Gerät, Anzahl, Speicher, Betriebssystem]**" in text


@pytest.mark.parametrize("run", RUNS, ids=lambda path: path.name)
def test_the_german_templates_meet_every_run(run):
    """What a wording does not know it leaves to the rule's own sentence; none fails."""
    host = host_of()
    try:
        analysis = analyse(load(run, host=host), host)
    except ReportError:
        return  # it is there to be refused
    every = (one.item for one in host.sections if not one.item.optional)
    sections = tuple(sorted(every, key=lambda section: section.order))
    kit = Kit(analysis, "1.0", dialect("markdown"), sections, template_dirs=(EXAMPLE / "german",))
    assert kit.render("report.md", sections=sections).startswith("# Trainingsbericht: ")
