"""What pandoc writes: a document with real headings, captions, tables and figures, and its siblings."""

import io
import re
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import docx
import pytest
from docx.oxml.ns import qn

from dpo_report.core.build import build
from dpo_report.core.errors import ReportError
from typeset import hostile_run

RUNS = Path(__file__).parent / "runs"
FORMATS = ("docx", "odt", "epub", "rst")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return build(RUNS / "dpo-eval", [*FORMATS, "markdown"], tmp_path_factory.mktemp("made") / "out").directory


@pytest.fixture(scope="module")
def document(made):
    return docx.Document(str(made / "report.docx"))


def styled(document, style):
    return [p.text for p in document.paragraphs if p.style.name == style]


def test_headings_are_headings(made, document):
    heads = re.findall(r"^## (.*)$", (made / "report.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert styled(document, "Title") == ["Training report: dpo-eval"]
    assert styled(document, "Heading 1") == heads
    assert "Settings" in styled(document, "Heading 2")


def test_figures_are_pictures_with_captions(made, document):
    pictures = document.element.body.findall(f".//{qn('pic:pic')}")
    captions = styled(document, "Image Caption")
    assert len(pictures) == len(captions) == len(list((made / "figures").glob("*.svg"))) > 0
    assert all(caption.startswith(f"Figure {n}. ") for n, caption in enumerate(captions, 1))
    described = [p.get("descr") for p in document.element.body.iter(qn("wp:docPr"))]
    assert all(described)
    section = document.sections[0]
    room = section.page_width - section.left_margin - section.right_margin
    assert all(shape.width <= room for shape in document.inline_shapes)


def test_tables_are_tables_with_heads_and_captions(document):
    captions = styled(document, "Table Caption")
    assert captions[0] == "Table 1. Steps, data, time and size of the run."
    by_head = {table.rows[0].cells[0].text: table for table in document.tables}
    assert {"Quantity", "", "Setting", "File", "Rule"} <= set(by_head)
    for table in document.tables:
        assert table.rows[0]._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
        assert all(row._tr.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for row in table.rows)
    settings = {row.cells[0].text: row.cells[1].text for row in by_head["Setting"].rows}
    assert settings["learning_rate"] == "0.005"


def test_citations_lead_to_their_entries(document):
    links = {link.get(qn("w:anchor")) for link in document.element.body.iter(qn("w:hyperlink"))} - {None}
    marks = {mark.get(qn("w:name")) for mark in document.element.body.iter(qn("w:bookmarkStart"))}
    assert links and links <= marks


def test_the_others_are_what_they_say(made):
    with zipfile.ZipFile(made / "report.odt") as odt:
        assert odt.read("mimetype") == b"application/vnd.oasis.opendocument.text"
        assert sum(name.startswith("Pictures/") for name in odt.namelist()) > 0
    with zipfile.ZipFile(made / "report.epub") as epub:
        assert epub.read("mimetype") == b"application/epub+zip"
        assert any(name.endswith(".svg") for name in epub.namelist())
    text = (made / "report.rst").read_text(encoding="utf-8")
    assert set(re.findall(r"figure:: (.*)", text)) == {f"figures/{p.name}" for p in (made / "figures").glob("*.svg")}
    assert re.search(r"^Methodology\n=+$", text, re.MULTILINE)


def test_pages_are_numbered(document):
    (foot,) = document.sections[0].footer._element.iter(qn("w:fldSimple"))
    assert foot.get(qn("w:instr")) == "PAGE"


def test_an_open_document_looks_like_the_others(made):
    with zipfile.ZipFile(made / "report.odt") as odt:
        content, styles = odt.read("content.xml").decode(), odt.read("styles.xml").decode()
    for style in set(re.findall(r'<text:p text:style-name="(Title|Notes)"', content)):
        assert styles.count(f'style:name="{style}"') == 1
    assert "Notes" in content
    assert re.search(r'style:name="Source_Text">[^/]*fo:font-size="9pt"', styles)
    tables = re.findall(r"<table:table table:name.*?</table:table>", content, re.DOTALL)
    assert all('"TableLastRowCell"' in table.rsplit("<table:table-row ", 1)[1] for table in tables)
    assert all(row == ' table:style-name="Row"' for row in re.findall(r"<table:table-row([^>]*)>", content))


def test_a_book_is_one_chapter_with_its_title(made):
    with zipfile.ZipFile(made / "report.epub") as epub:
        assert epub.namelist()[0] == "mimetype"
        assert epub.infolist()[0].compress_type == zipfile.ZIP_STORED
        (chapter,) = [name for name in epub.namelist() if name.startswith("EPUB/text/")]
        text = epub.read(chapter).decode()
        (style,) = [epub.read(name).decode() for name in epub.namelist() if name.endswith(".css")]
    assert re.findall(r"<h1[^>]*>(.*?)</h1>", text) == ["Training report: dpo-eval"]
    assert '<div class="notes"' in text and ".notes {" in style


def test_restructured_text_leads_to_its_own_places(made):
    text = (made / "report.rst").read_text(encoding="utf-8")
    links, places = (
        set(re.findall(r"<([\w-]+)_>`__", text)),
        set(re.findall(r"^- \.\. _([\w-]+):$", text, re.MULTILINE)),
    )
    assert links and links == places
    assert "<#" not in text and "⟦" not in text
    captions = re.findall(r"^\.\. table:: (.*)\n(.*)$", text, re.MULTILINE)
    assert captions[1] == (
        "Table 2. Values on training and on held-out data. Intervals in brackets are at the 95\u00a0% level.",
        "",
    )


def test_small_tables_stay_on_one_page(made, document):
    for table in document.tables:
        rows = [
            [p.paragraph_format.keep_with_next for cell in row.cells for p in cell.paragraphs] for row in table.rows
        ]
        kept = rows[:-1] if len(rows) <= 24 else rows[:2]
        assert all(all(row) for row in kept)
        assert not any(rows[-1])
    with zipfile.ZipFile(made / "report.odt") as odt:
        content, styles = odt.read("content.xml").decode(), odt.read("styles.xml").decode()
    ElementTree.fromstring(content)
    ElementTree.fromstring(styles)
    assert content.count('style:may-break-between-rows="false"') == sum(
        len(table.rows) <= 24 for table in document.tables
    )


def test_an_open_document_is_as_wide_as_its_page(made):
    with zipfile.ZipFile(made / "report.odt") as odt:
        content = odt.read("content.xml").decode()
    widths = [float(width) for width in re.findall(r'<draw:frame[^>]*svg:width="([\d.]+)pt"', content)]
    assert widths and max(widths) <= 468
    assert not re.search(r'style:parent-style-name="P\d', content), "word processors drop such styles"


def test_twice_the_same_bytes(made, tmp_path):
    again = build(RUNS / "dpo-eval", FORMATS, tmp_path / "again").directory
    for name in ("report.docx", "report.odt", "report.rst"):
        assert (again / name).read_bytes() == (made / name).read_bytes()


def test_a_hostile_run_stays_text_and_reads_no_file(tmp_path):
    run = hostile_run(tmp_path)
    (run / '<img src="secret">.txt').write_bytes(b"x")
    made = build(run, FORMATS, tmp_path / "out").directory
    document = docx.Document(io.BytesIO((made / "report.docx").read_bytes()))
    assert "run_50% #1 & {x} $y$ ^^41" in styled(document, "Title")[0]
    cells = [cell for table in document.tables for row in table.rows for cell in row.cells]
    everything = "\n".join(one.text for one in [*document.paragraphs, *cells])
    assert "<script>alert(1)</script>" in everything
    assert len(document.element.body.findall(f".//{qn('pic:pic')}")) == len(styled(document, "Image Caption"))


@pytest.mark.parametrize("found", ["none", "broken", "slow"])
def test_no_pandoc_is_one_line(monkeypatch, tmp_path, found):
    import pypandoc

    def absent():
        raise OSError("No pandoc was found: either install pandoc\nand more lines")

    program = tmp_path / "pandoc"
    program.write_text("#!/bin/sh\necho 'it broke' >&2\nexit 3\n" if found == "broken" else "#!/bin/sh\nexec sleep 5\n")
    program.chmod(0o755)
    monkeypatch.setattr("dpo_report.plugins.formats.pandoc._TIMEOUT", 0.2 if found == "slow" else 60)
    monkeypatch.setattr(pypandoc, "get_pandoc_path", absent if found == "none" else lambda: str(program))
    with pytest.raises(ReportError) as told:
        build(RUNS / "dpo-eval", ["docx"], tmp_path / "out")
    wanted = {"none": "needs pandoc", "broken": "docx: pandoc failed: it broke", "slow": "timed out"}[found]
    assert wanted in told.value.message and "\n" not in told.value.message
    assert not (tmp_path / "out").exists()


def test_pandoc_runs_once_a_format(monkeypatch, tmp_path):
    calls = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda words, **more: calls.append(words) or run(words, **more))
    build(RUNS / "dpo-eval", ["docx"], tmp_path / "out")
    assert len(calls) == 1 and "--sandbox" in calls[0]
