"""Several formats at once, and the measures of papers that they are made for."""

import re
from pathlib import Path

import pytest
from pypdf import PdfReader

from dpo_report.core import build as building
from dpo_report.core import figures
from dpo_report.core.build import build
from dpo_report.core.cli import main
from dpo_report.core.looks import LOOKS
from typeset import compiled, document

RUNS = Path(__file__).parent / "runs"
ALL = ("latex", "markdown", "html", "pdf", "docx", "odt", "epub", "rst", "typst", "modelcard", "json")
STYLES = sorted(LOOKS)


def test_all_formats_share_one_reading_and_one_drawing(monkeypatch, tmp_path):
    read, drawn = [], []
    load, draw = building.load, figures.draw_all
    monkeypatch.setattr(building, "load", lambda *args, **more: read.append(args) or load(*args, **more))
    monkeypatch.setattr(figures, "draw_all", lambda what, kinds, style: drawn.append(kinds) or draw(what, kinds, style))
    made = build(RUNS / "dpo-eval", ALL, tmp_path / "out").directory
    assert len(read) == 1
    assert sorted(kind for kinds in drawn for kind in kinds) == ["pdf", "png", "svg"]
    endings = ("tex", "md", "html", "pdf", "docx", "odt", "epub", "rst", "typ", "json")
    main_files = {"README.md", *(f"report.{ending}" for ending in endings)}
    assert {path.name for path in made.iterdir() if path.is_file()} == main_files | {"numbers.tex", "references.bib"}


@pytest.mark.parametrize("style", STYLES)
def test_a_style_has_the_measures_of_its_paper(style, tmp_path):
    look = LOOKS[style]
    made = build(RUNS / "dpo-two-evalsets", ["latex"], tmp_path / "out", style=style).directory
    widths = {path.stem: float(PdfReader(path).pages[0].mediabox.width) / 72 for path in made.glob("figures/*.pdf")}
    assert {round(inches, 2) for inches in widths.values()} == {round(look.text, 2), round(look.column, 2)}
    done = compiled(made, "pdflatex")
    assert (done.errors, done.overfull, done.undefined) == ([], [], [])
    # In an article with those measures that knows nothing of the report but \input.
    options = f"{look.size}pt" + (",twocolumn" if look.columns == 2 else "")
    lengths = f"\\setlength{{\\textwidth}}{{{look.text}in}}\\setlength{{\\columnsep}}{{{look.gap}in}}"
    lengths += f"\\setlength{{\\textheight}}{{{look.height}in}}\\hoffset=-1in\\voffset=-1in"
    parts = ("methodology", "results", "discussion")
    body = "\n".join(f"\\input{{sections/{name}}}" for name in parts) + "\\typeout{COLUMN \\the\\columnwidth}"
    (made / "paper.tex").write_text(document(body, options, lengths))
    paper = compiled(made, "pdflatex", "paper")
    assert (paper.errors, paper.overfull) == ([], [])
    if look.columns == 2:
        column = float(re.search(r"COLUMN ([\d.]+)pt", paper.log)[1]) / 72.27
        assert abs(column - look.column) < 0.01


@pytest.mark.parametrize(("style", "narrow"), [("ieee", "figure"), ("neurips", "figure*")])
def test_what_fits_into_a_column_stands_in_one(style, narrow, tmp_path):
    made = build(RUNS / "dpo-eval", ["latex"], tmp_path / "out", style=style).directory
    text = (made / "sections" / "results.tex").read_text()
    floats = re.findall(r"\\begin\{(figure\*?)\}(.*?)\\end\{\1\}", text, re.DOTALL)
    kinds = {name: kind for kind, body in floats for name in re.findall(r"figures/(\w+)\.pdf", body)}
    assert (kinds["loss"], kinds["rewards"], kinds["logps"]) == ("figure*", "figure*", narrow)
    methodology = (made / "sections" / "methodology.tex").read_text()
    assert f"\\begin{{table{narrow.removeprefix('figure')}}}" in methodology


@pytest.mark.parametrize("style", ["icml", "acl", "ieee"])
def test_a_table_fits_into_one_column(style, tmp_path):
    look = LOOKS[style]
    made = build(RUNS / "dpo-two-evalsets", ["latex"], tmp_path / "out", style=style).directory
    lengths = f"\\setlength{{\\textwidth}}{{{look.text}in}}\\setlength{{\\columnsep}}{{{look.gap}in}}\\hoffset=-1in"
    tables = sorted(path.stem for path in (made / "tables").glob("*.tex"))
    body = "\n".join(f"\\begin{{table}}[!htbp]\\input{{tables/{name}}}\\end{{table}}" for name in tables)
    (made / "paper.tex").write_text(document(body, f"{look.size}pt,twocolumn", lengths))
    paper = compiled(made, "pdflatex", "paper")
    assert (paper.errors, paper.overfull) == ([], []) and tables


def test_an_unknown_style_is_one_line(tmp_path, capsys):
    assert main(["build", str(RUNS / "dpo-eval"), "--style", "nature", "-o", str(tmp_path / "out")]) == 1
    assert "unknown style 'nature'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_style_written_otherwise_is_recognised(tmp_path, capsys):
    assert main(["build", str(RUNS / "dpo-eval"), "--style", "ICML", "-o", str(tmp_path / "out")]) == 1
    assert "did you mean icml?" in capsys.readouterr().err
