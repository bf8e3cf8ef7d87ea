"""Markdown: the same report, readable on a code-hosting site, in which no string of a run is markup."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import made
from dpo_report.core import markdown
from dpo_report.core.build import build
from dpo_report.core.dialect import DIALECTS
from dpo_report.core.render import Kit
from dpo_report.core.standin import unseen
from dpo_report.core.text import Ask, Code, Text, say
from dpo_report.core.works import Work
from typeset import HOSTILE, hostile_run

RUNS = Path(__file__).parent / "runs"
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OURS = {"a", "br", "code", "details", "em", "h1", "h2", "h3", "hr", "img", "li", "p", "strong", "sub", "summary", "sup"}
OURS |= {"table", "tbody", "td", "th", "thead", "tr", "ul"}


class Page(HTMLParser):
    """Tags and attributes of a page, and its text."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.tags, self.links, self.words = [], [], []
        self.feed(READER.render(source))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "onerror", "onclick")]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


def shown(text):
    """What a reader must see of a string."""
    return "".join(f"[U+{ord(c):04X}]" if unseen(c) else c for c in markdown.one_line(text))


@given(st.text(max_size=60) | st.text("\\`*_{}[]()<>#+-.!|~$&:/@=w1 \t", max_size=30) | st.sampled_from(HOSTILE))
def test_any_string_shows_as_itself(text):
    for written in (f"x {markdown.escape(text)}", f"| a |\n| - |\n| {markdown.escape(text)} |", markdown.escape(text)):
        page = Page(written)
        assert set(page.tags) <= {"p", "table", "thead", "tbody", "tr", "th", "td"}
    seen = re.sub(r"\s|U\+|[\[\]]", "", Page("x" + markdown.escape(text) + "x").text)
    assert seen == re.sub(r"\s|U\+|[\[\]]", "", "x" + re.sub(r"\]\[", " ", shown(text)) + "x")


@given(st.text(max_size=40) | st.text("`|\\<&* a", max_size=12))
def test_any_name_is_code_alone_and_in_a_table(text):
    for written in (f"x {markdown.code(text)}", f"| a |\n| - |\n| {markdown.code(text)} |"):
        page = Page(written)
        assert page.tags.count("code") == (1 if text else 0)
        assert page.tags.count("td") <= 1


@pytest.mark.parametrize("text", ["http://evil.example", "https://a.b", "www.evil.example", "me@evil.example"])
def test_nothing_becomes_a_link(text):
    # Sites link bare addresses by their look alone, so the look is broken.
    assert Page(markdown.escape(text)).links == []
    assert not re.search(r"https?://|www\.[a-z]|\w@\w", markdown.escape(text))


def test_sentences():
    work = Work("a_2025", "misc", {"author": "Doe, Jane", "year": "2025", "title": "T"})
    text = say("The `a_b` of {x} [@a_2025].{q}", x="*x*", q=Ask("id", "which *GPU*?"))
    assert DIALECTS["markdown"].typeset(text, {"a_2025": work}) == (
        "The `a_b` of \\*x\\* ([Doe, 2025](#a_2025)).**[? which \\*GPU\\*?]**"
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    return build(hostile_run(folder), ["markdown"], folder / "out").directory


def test_a_hostile_run_injects_nothing(hostile):
    page = Page((hostile / "report.md").read_text(encoding="utf-8"))
    assert set(page.tags) <= OURS
    assert not [link for link in page.links if not re.match(r"#|figures/\w+\.svg$|https://", link)]
    assert "<script>alert(1)</script>" in page.text
    assert page.text.count("\u202e") == 0


def test_figures_and_references_are_there(tmp_path):
    folder = build(RUNS / "dpo-eval", ["markdown"], tmp_path / "out").directory
    text = (folder / "report.md").read_text(encoding="utf-8")
    page = Page(text)
    figures = {link for link in page.links if link and link.startswith("figures/")}
    assert figures == {f"figures/{path.name}" for path in (folder / "figures").iterdir()} != set()
    anchors = set(re.findall(r'<a id="([^"]+)"></a>', text))
    assert {link[1:] for link in page.links if link and link.startswith("#")} == anchors != set()
    assert page.tags.count("details") >= 3


def test_it_says_what_the_latex_says(tmp_path):
    folder = build(RUNS / "dpo-eval", ["markdown", "latex"], tmp_path / "out").directory
    heads = re.findall(r"^## (.*)$", (folder / "report.md").read_text(encoding="utf-8"), re.MULTILINE)
    sections = "".join(path.read_text() for path in (folder / "sections").iterdir())
    titles = re.findall(r"\\DpoSection\{(.*?)\}\\label", sections)
    assert set(titles) == set(heads) - {"References"}
    analysis = made.analysis(made.first_user())
    kit = Kit(analysis, "1", DIALECTS["markdown"])
    for finding in analysis.findings:
        if finding.status == "found" and finding.section == "results":
            wanted = DIALECTS["markdown"].typeset(Text(tuple(finding.text)), analysis.works)
            section = type("S", (), {"title": "Results", "name": "results"})
            assert wanted in kit.render("results.md", section=section)


def test_run_strings_in_settings_stay_in_their_cell():
    analysis = made.analysis(made.run(loss=[0.6], settings={f"a|b{n}": text for n, text in enumerate(HOSTILE)}))
    section = type("S", (), {"title": "Reproducibility", "name": "reproducibility"})
    page = Page(Kit(replace(analysis), "1", DIALECTS["markdown"]).render("reproducibility.md", section=section))
    assert page.tags.count("td") == 2 * len(HOSTILE)
    assert set(page.tags) <= OURS
    assert unescape(str(Code("a|b0"))) in page.text
