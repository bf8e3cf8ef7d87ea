"""The documentation: what it takes from the program is up to date, it builds without a warning, its examples work."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dpo_report import build
from dpo_report.core.host.registry import SPECS
from dpo_report.core.manager import Host
from typeset import compiled

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def test_what_is_made_is_up_to_date():
    words = [sys.executable, str(DOCS / "generate.py"), "--check"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"run `make docs`; it would change\n{done.stdout}{done.stderr}"


def test_every_reader_has_its_row_in_the_page_of_formats():
    page = (DOCS / "formats.md").read_text()
    named = {
        name for cell in re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE) for name in re.findall("`(.+?)`", cell)
    }
    assert named == {provided.item.name for provided in Host(discover=False).readers}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site."""
    out = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_every_page_can_be_reached(site):
    nav = (ROOT / "mkdocs.yml").read_text()
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert {page for page in pages if f": {page}\n" not in nav} == set()
    assert {path.relative_to(site).as_posix() for path in site.rglob("*.html")} >= {
        page.removesuffix(".md") + ".html" for page in pages
    }


def test_reading_it_needs_no_network(site):
    for path in site.rglob("*.html"):
        text = path.read_text()
        assert not re.findall(r"""<(?:script|img|iframe)[^>]*src=["']?(?:https?:)?//""", text), path
        assert not re.findall(r"""<link[^>]*rel=["']?stylesheet[^>]*href=["']?(?:https?:)?//""", text), path


def test_pictures_are_small():
    pictures = list((DOCS / "pictures").iterdir())
    assert pictures
    assert sum(path.stat().st_size for path in pictures) < 500_000


def test_every_hook_rule_and_value_has_its_entry():
    host = Host(discover=False)
    api, rules, values = (
        (DOCS / "reference" / name).read_text() for name in ("plugin-api.md", "rules.md", "values.md")
    )
    assert [hook for hook in SPECS if f"### {hook}\n" not in api] == []
    assert [one.item.code for one in host.checks if f"## {one.item.code}: " not in rules] == []
    assert [one.item.name for one in host.metrics if f"## {one.item.name}\n" not in values] == []


def blocks(page, language):
    """The code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def test_the_paper_of_the_tutorial_compiles(tmp_path):
    build(ROOT / "examples" / "runs" / "kg-heldout", out=tmp_path / "outputs" / "dpo" / "report")
    (source,) = blocks("tutorial.md", "latex")
    (tmp_path / "paper.tex").write_text(source)
    words = ["pdflatex", "-interaction=batchmode", "paper"]
    subprocess.run(words, cwd=tmp_path, stdout=subprocess.DEVNULL, timeout=120, check=False)
    subprocess.run(["bibtex", "paper"], cwd=tmp_path, stdout=subprocess.DEVNULL, timeout=60, check=True)
    paper = compiled(tmp_path, "pdflatex", "paper")
    assert (paper.errors, paper.undefined) == ([], [])
    assert "Averaged over training, the loss was 0.605." in " ".join(paper.text.split())


def test_the_plugin_of_the_how_to_passes_its_test(tmp_path):
    plugin, drawn, test = blocks("howto/plugin.md", "python")
    (tmp_path / "mine.py").write_text(plugin)
    (tmp_path / "drawn.py").write_text(drawn)
    (tmp_path / "test_drawn.py").write_text(
        "from dpo_report.testing import finding, made_run\nimport drawn\n\n\ndef test_a_short_run_passes():\n"
        "    assert finding(made_run(loss=[0.6]), 'X1', drawn).status == 'passed'\n"
    )
    (tmp_path / "test_mine.py").write_text(test)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "2 passed" in done.stdout, done.stdout + done.stderr
