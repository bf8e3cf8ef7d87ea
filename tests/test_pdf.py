"""PDF without TeX: set by the Typst inside the package, from source in which no string of a run is markup."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import typst as engine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from dpo_report.core import typst
from dpo_report.core.build import build
from dpo_report.core.cli import main
from dpo_report.core.dialect import DIALECTS
from dpo_report.core.errors import ReportError
from dpo_report.core.looks import LOOKS
from dpo_report.core.text import Ask, say
from dpo_report.core.works import Work
from typeset import HOSTILE, hostile_run

RUNS = Path(__file__).parent / "runs"


def words(pdf):
    """The text of the pages, as somebody would copy it."""
    return subprocess.run(["pdftotext", "-raw", str(pdf), "-"], capture_output=True, check=True).stdout.decode()


def compiled(source):
    """Text of a page with that source."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "x.typ").write_text("#let mono(body) = body\n#set page(width: 40in)\n" + source, encoding="utf-8")
        engine.compile(str(Path(folder, "x.typ")), str(Path(folder, "x.pdf")), ignore_system_fonts=True)
        return words(Path(folder, "x.pdf"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return build(RUNS / "dpo-eval", ["pdf", "typst", "markdown"], tmp_path_factory.mktemp("made") / "out").directory


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text("#$*_`<>@=-+/~[]\\\"'(){}.;:,1aB ", min_size=1, max_size=40), min_size=1, max_size=20))
def test_any_string_prints_as_itself(texts):
    source = "\n\n".join(f"x{typst.escape(text)}x / {typst.code(text)}x" for text in texts)
    shown = re.sub(r"\s", "", compiled(source)).replace("\x0c", "")
    wanted = "".join(f"x{text}x/{text}x" for text in texts)
    assert shown.replace("1", "").replace("-", "") == re.sub(r"\s", "", wanted).replace("1", "").replace("-", "")


@given(st.text(max_size=80) | st.sampled_from(HOSTILE))
def test_every_string_is_string_literals_alone(text):
    literal = r'#"(?:[^"\\]|\\["\\])*";'
    for written in (typst.escape(text), typst.code(text).removeprefix("#mono[").removesuffix("]")):
        assert re.fullmatch(rf"(?:{literal}(?:#box\(\);{literal})*)?", written)


def test_what_the_fonts_lack_is_told_by_its_number():
    assert compiled(typst.escape("a中文b\u202e")).startswith("a[U+4E2D U+6587]b[U+202E]")
    assert compiled(typst.escape("β – × 10⁻⁶ ≥ ‘x’ é Ł я")).startswith("β – × 10⁻⁶ ≥ ‘x’ é Ł я")


def test_sentences():
    work = Work("a_2025", "misc", {"author": "Doe, Jane", "year": "2025", "title": "T"})
    text = say("The `a_b` of {x} [@a_2025].{q}", x="*x*", q=Ask("id", "which?"))
    assert DIALECTS["typst"].typeset(text, {"a_2025": work}) == (
        '#"The ";#mono[#"a_b";]#" of *x* ";(#link(<ref-a_2025>)[#"Doe, 2025";])#".";#ask[#"which?";]'
    )


def test_several_works_are_cited_with_semicolons_between():
    works = {
        key: Work(key, "misc", {"author": f"{key.title()}, J.", "year": "2025", "title": "T"}) for key in ("a", "b")
    }
    cited = DIALECTS["typst"].typeset(say("So [@a; @b]."), works)
    assert compiled(f"{cited}#metadata(none) <ref-a> #metadata(none) <ref-b>").startswith("So (A, 2025; B, 2025).")


def test_it_says_what_the_markdown_says(made):
    text = re.sub(r"\s+", " ", words(made / "report.pdf"))
    markdown = (made / "report.md").read_text(encoding="utf-8")
    for head in re.findall(r"^##+ ([A-Z][a-z ]+)$", markdown, re.MULTILINE):
        assert head in text
    for sentence in ("Training took 24 optimizer steps", "What each number means", "learning_rate"):
        assert sentence in text
    reader = PdfReader(made / "report.pdf")
    assert reader.metadata.title == "Training report: dpo-eval"
    captions = set(re.findall(r"Figure \d+\.", text))
    assert captions == {f"Figure {n}." for n in range(1, len(list((made / "figures").glob("*.pdf"))) + 1)}


def test_every_font_is_inside(made):
    listing = subprocess.run(["pdffonts", str(made / "report.pdf")], capture_output=True, check=True, text=True).stdout
    rows = [line.split() for line in listing.splitlines()[2:]]
    assert rows and all(row[-5] == "yes" for row in rows)
    assert any("Libertinus" in row[0] for row in rows)


def test_no_program_and_no_font_of_the_machine_is_needed(monkeypatch, made, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    again = build(RUNS / "dpo-eval", ["pdf"], tmp_path / "out").directory
    assert (again / "report.pdf").read_bytes() == (made / "report.pdf").read_bytes()


@pytest.mark.parametrize("style", LOOKS)
def test_no_word_leaves_its_page_or_column(style, tmp_path):
    made = build(RUNS / "dpo-two-evalsets", ["pdf"], tmp_path / "out", style=style).directory
    told = subprocess.run(["pdftotext", "-bbox", str(made / "report.pdf"), "-"], capture_output=True, check=True)
    look, text = LOOKS[style], told.stdout.decode()
    for page in text.split("<page ")[1:]:
        width = float(re.search(r'width="([\d.]+)"', page)[1])
        height = float(re.search(r'height="([\d.]+)"', page)[1])
        left, right = (width - 72 * look.text) / 2, (width + 72 * look.text) / 2
        boxes = re.findall(r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)<', page)
        assert boxes
        for x0, y0, x1, y1, word in boxes:
            assert left - 3 <= float(x0) and float(x1) <= right + 3, word
            assert float(y0) > 0 and float(y1) < height, word


def test_a_hostile_run(tmp_path):
    made = build(hostile_run(tmp_path), ["pdf"], tmp_path / "out").directory
    text = re.sub(r"\s", "", words(made / "report.pdf"))
    assert "<script>alert(1)</script>" in text and "\\input{/etc/passwd}" in text


def test_a_template_that_is_no_typst_is_one_line(tmp_path):
    mine = tmp_path / "templates" / "typst"
    mine.mkdir(parents=True)
    (mine / "discussion.typ").write_text('{% extends "default:discussion.typ" %}{% block body %}#nosuch{% endblock %}')
    with pytest.raises(ReportError) as told:
        build(RUNS / "dpo-eval", ["pdf"], tmp_path / "out", template_dirs=[tmp_path / "templates"])
    assert "unknown variable: nosuch" in told.value.message and "report.typ:" in told.value.message
    assert "\n" not in told.value.message and str(tmp_path) not in told.value.message


@pytest.mark.parametrize("program", ["latexmk", "pdflatex"])
def test_latex_sets_it_where_asked(program, tmp_path, monkeypatch):
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: found(name) if name == program else None)
    assert (
        main(["build", str(RUNS / "dpo-eval"), "-f", "pdf", "--pdf-engine", "latex", "-q", "-o", str(tmp_path / "o")])
        == 0
    )
    assert "pdfTeX" in PdfReader(tmp_path / "o" / "report.pdf").metadata.producer
    assert "??" not in words(tmp_path / "o" / "report.pdf")
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["report.json", "report.pdf"]


def test_no_tex_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (
        main(["build", str(RUNS / "dpo-eval"), "-f", "pdf", "--pdf-engine", "latex", "-q", "-o", str(tmp_path / "o")])
        == 1
    )
    assert "neither latexmk nor pdflatex is installed" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_template_that_is_no_latex_is_one_line(tmp_path):
    mine = tmp_path / "templates" / "latex"
    mine.mkdir(parents=True)
    (mine / "discussion.tex").write_text(
        '\\BLOCK{extends "default:discussion.tex"}\\BLOCK{block body}\\nosuch\\BLOCK{endblock}'
    )
    options = {"pdf-engine": "latex"}
    with pytest.raises(ReportError) as told:
        build(RUNS / "dpo-eval", ["pdf"], tmp_path / "out", template_dirs=[tmp_path / "templates"], options=options)
    assert re.search(r"sections/discussion\.tex:\d+: Undefined control sequence", told.value.message)
