"""LaTeX that always compiles: any string prints as itself or as a visible stand-in, in any engine and any class."""

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import made
from dpo_report.core import macros, tex
from dpo_report.core.build import build_runs
from dpo_report.core.dialect import DIALECTS
from dpo_report.core.errors import ReportError
from dpo_report.core.manager import default_host
from dpo_report.core.model import Problem, Source, Value
from dpo_report.core.references import bibtex
from dpo_report.core.render import Kit
from dpo_report.core.text import Ask, Cite, Code, Text, say
from dpo_report.core.works import Work
from dpo_report.plugins.formats import latex
from typeset import ENGINES, HOSTILE, compiled, document, hostile_run

LETTERS = "".join(map(chr, range(32, 127))) + "".join(
    letter for code in range(0xC0, 0x180) if (letter := chr(code)).isalpha() and letter not in "ŉĸĿŀſŦŧĦħĲĳ"
)
PREAMBLE = (
    "\\ifdefined\\directlua\\else\\ifdefined\\XeTeXversion\\else\\usepackage[T1]{fontenc}\\usepackage{lmodern}\\fi\\fi\n"
    "\\pagestyle{empty}\\parindent=0pt\\hyphenpenalty=10000"
)
WORK = Work("a2025", "misc", {"author": "Älpha, Ann and {Lab & Co}", "title": "50% of {LLMs}: a_b", "year": "2025"})


def kit(**changes):
    """A kit over the first user's run."""
    return Kit(replace(made.analysis(made.first_user()), **changes), "1.0", DIALECTS["latex"])


def render(source, tmp_path, **context):
    """A template of the user's, rendered as LaTeX."""
    (tmp_path / "latex").mkdir(exist_ok=True)
    (tmp_path / "latex" / "own.tex").write_text(source, encoding="utf-8")
    return replace(kit(works={"a2025": WORK}), template_dirs=(tmp_path,)).render("own.tex", **context)


def helpers():
    return "\n".join(latex._helpers(kit()).values())


# --- strings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_every_string_prints_as_typed(engine, tmp_path):
    batches = []

    @given(st.lists(st.text(LETTERS, min_size=1, max_size=40), min_size=150, max_size=150))
    @settings(max_examples=1, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    def drawn(batch):
        batches.append(["A" + text for text in batch])

    drawn()
    strings = [*batches[0], LETTERS[:95], *LETTERS[95:]]
    pages = "\n\\newpage\n".join(f"{tex.escape(text)}\n\n{tex.code(text)}" for text in strings)
    (tmp_path / "all.tex").write_text(document(pages, "", PREAMBLE + helpers()), encoding="ascii")
    done = compiled(tmp_path, engine, "all", runs=1)
    assert not done.errors
    printed = done.text.split("\f")
    see = bare if engine == "pdflatex" else seen
    wrong = [(text, page) for text, page in zip(strings, printed, strict=False) if see(page) != see(text) * 2]
    assert not wrong


def seen(text):
    """What a reader sees: typographic quotes and spacing accents are told apart by their place, not their shape."""
    plain = unicodedata.normalize("NFC", re.sub(r"\s", "", text))
    return plain.translate(str.maketrans("‘’“”˜ˆ‚", '`\'""~^,', "")).replace("ﬁ", "fi").replace("ﬂ", "fl")


def bare(text):
    """The same without accents: those that T1 lacks are painted over their letter, and a PDF cannot tell of them."""
    letters = seen(text).translate(str.maketrans("ıȷĐđÐ", "ijDdD"))
    return re.sub(r"[\u0300-\u036f˜ˆ´`¸˛¨¯˘˙˚˝ˇ^~,'‘’\"]|[łŁ](?!x)", "", unicodedata.normalize("NFD", letters))


@given(st.text(max_size=60))
def test_any_string_is_plain_ascii(text):
    for written in (tex.escape(text), tex.code(text)):
        assert written.isascii()
        assert written.count("{") - written.count("\\{") == written.count("}") - written.count("\\}")
        assert not re.search(r"(?<!\\)[%#&]|[\x00-\x1f\x7f]", written)


@pytest.mark.parametrize("engine", ENGINES)
def test_all_of_unicode_compiles_in_a_bare_class(engine, tmp_path):
    samples = [
        chr(code) for code in (*range(1, 0x2C00), *range(0x3000, 0x3100), *range(0xFB00, 0xFB10), 0xD800, 0x1F680)
    ]
    lines = [samples[at : at + 64] for at in range(0, len(samples), 64)]
    body = "\n\n".join(tex.escape("".join(f"{letter} " for letter in line)) + tex.code("".join(line)) for line in lines)
    (tmp_path / "all.tex").write_text(document(body, "", helpers()), encoding="ascii")
    done = compiled(tmp_path, engine, "all", runs=1)
    assert not done.errors
    assert "U+4E2D" not in done.text and "U+0E01" in done.text


def test_no_trick_runs():
    assert tex.escape("\\input{x}") == "\\textbackslash{}input\\{x\\}"
    assert tex.escape("^^41") == "\\textasciicircum{}\\textasciicircum{}41"
    assert tex.escape("[x]") == "{[}x]"
    assert tex.escape("a\nb\tc") == "a b c"
    assert tex.escape("\u202e") == "\\texttt{[U+202E]}"


# --- the environment ------------------------------------------------------------------------------------------------


def test_strings_are_escaped_once_wherever_they_are_printed(tmp_path):
    source = (
        "\\BLOCK{macro twice(x)}<\\VAR{x}>\\BLOCK{endmacro}\\BLOCK{set block}\\VAR{a}!\\BLOCK{endset}"
        "\\VAR{a} \\VAR{twice(a)} \\VAR{block} \\VAR{{'k': 'x_y'}['k']} \\VAR{'x_y'} \\VAR{'\\\\%'|safe}"
    )
    assert render(source, tmp_path, a="x_y") == "x\\_y <x\\_y> x\\_y! x\\_y x\\_y \\%"


def test_joining_escapes_by_the_family(tmp_path):
    source = (
        "\\VAR{a ~ m} \\VAR{a + '&'} \\VAR{m + a} \\VAR{[a, m]|join('&')} \\VAR{a|escape} \\VAR{m|replace('!', '_')}"
    )
    safe = render("\\VAR{a|safe}", tmp_path, a="\\emph{!}")
    from markupsafe import Markup

    out = render(source, tmp_path, a="<_>", m=Markup(safe))
    less, low = "\\textless{}\\_\\textgreater{}", "\\emph{!}"
    assert out == f"{less}{low} {less}\\& {low}{less} {less}\\&{low} {less} \\emph{{\\_}}"


def test_sentences_are_typeset_by_part(tmp_path):
    text = say("The `loss_a` of {name} [@a2025; @nobody].", name="x_y") + say("{q}", q=Ask("hw", "which 50% GPU?"))
    out = render(
        "\\VAR{t} \\VAR{c} \\VAR{n} \\VAR{v}", tmp_path, t=text, c=Cite(("a2025",)), n=1234, v=value("a.b", 5e-6)
    )
    assert "\\texttt{loss\\_a} of x\\_y (Älpha and Lab \\& Co, 2025; nobody)".replace("Ä", '\\"{A}') in out
    assert "\\DpoAsk{hw}{which 50\\% GPU?}" in out
    assert "\\cite{a2025} 1,234 $5.00 \\times 10^{-6}$" in out


@pytest.mark.parametrize("wrong", [None, 0.1, True, object()])
def test_what_has_no_form_is_refused(wrong, tmp_path):
    with pytest.raises(ReportError, match=r"own\.tex, line 2: .* cannot be printed"):
        render("a\n\\VAR{x}", tmp_path, x=wrong)


@pytest.mark.parametrize(
    ("source", "line"),
    [("\n\\VAR{nowhere}", 2), ("\\BLOCK{if}", 1), ("\n\n\\VAR{run.nothing}", 3), ("\\VAR{1 // 0}", 1)],
)
def test_a_wrong_template_is_one_line_with_its_place(source, line, tmp_path):
    with pytest.raises(ReportError, match=rf"own\.tex, line {line}: ") as told:
        render(source, tmp_path)
    assert "\n" not in str(told.value)


def test_a_missing_template_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(ReportError, match="no template absent") as told:
        replace(kit(), template_dirs=(tmp_path,)).render("absent.tex")
    assert str(tmp_path) in told.value.hint


def test_an_override_may_extend_what_it_overrides(tmp_path):
    (tmp_path / "latex").mkdir()
    own = '\\BLOCK{extends "default:base.tex"}\\BLOCK{block body}mine_\\VAR{section.name}\\BLOCK{endblock}'
    (tmp_path / "latex" / "discussion.tex").write_text(own, encoding="utf-8")
    build_runs(hostile_run(tmp_path / "in"), ["latex"], tmp_path / "out", template_dirs=[tmp_path])
    assert "mine_discussion" in (tmp_path / "out" / "sections" / "discussion.tex").read_text()


# --- numbers and references -------------------------------------------------------------------------------------------


def value(name, number, **more):
    return Value(name, number, (Source("f", "w"),), label=name, **more)


def test_every_declared_value_has_a_macro_of_its_own():
    names = [metric.item.name for metric in default_host().metrics]
    for run in (made.first_user(), made.run(loss=[0.7, 0.6] * 20, evaluations={"loss": ([20], [0.6])})):
        names += made.analysis(run).values
    assert not macros.clashes(names)


def test_a_clash_leaves_the_first_and_says_so():
    values = {name: value(name, 1) for name in ("a.b_c", "a_b.c", "top.5")}
    written = latex._numbers(kit(values=values))
    assert written.count("\\newcommand{\\DpoABC}") == 1
    assert "a\\_b.c is left out" in written
    assert "\\newcommand{\\DpoTopFive}{1}" in written


def test_only_cited_works_in_valid_bibtex():
    written = bibtex([WORK])
    assert "title = {{50\\% of \\{LLMs\\}: a\\_b}}" in written
    assert 'author = {\\"{A}lpha, Ann and {Lab \\& Co}}' in written


# --- documents --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    build_runs(hostile_run(folder), ["latex"], folder / "report")
    return folder / "report"


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    build_runs(Path(__file__).parent / "runs" / "dpo-eval", ["latex"], folder / "report")
    return folder / "report"


def test_no_html_in_any_file(hostile, real):
    for path in (*hostile.rglob("*.tex"), *real.rglob("*.tex")):
        text = path.read_text(encoding="ascii")
        assert not re.search(r"\\?&(amp|lt|gt|quot|#\d+);", text.replace("\\&amp;", "").replace("\\&\\#60;", "")), path


@pytest.mark.parametrize("engine", ENGINES)
def test_a_hostile_run_compiles(engine, hostile):
    done = compiled(hostile, engine)
    assert (done.errors, done.overfull, done.undefined) == ([], [], [])
    assert not (hostile / "pwned").exists()
    text = re.sub(r"\s", "", done.text)
    assert "root:" not in text
    assert "\\input{/etc/passwd}\\write18{touchpwned}" in text
    assert "[U+4E2DU+6587]" in text


def test_a_real_run_compiles(real):
    done = compiled(real, "pdflatex")
    assert (done.errors, done.overfull, done.undefined) == ([], [], [])
    cited = set(re.findall(r"\\cite\{([^}]*)\}", "".join(p.read_text() for p in real.rglob("sections/*.tex"))))
    cited = {key for keys in cited for key in keys.split(",")}
    assert set(re.findall(r"@\w+\{([^,]+),", (real / "references.bib").read_text())) == cited
    assert set(re.findall(r"\\bibitem\[.*?\]\{([^}]*)\}", (real / "report.tex").read_text())) == cited


@pytest.mark.parametrize("options", ["", "twocolumn"])
def test_sections_stand_in_any_paper(options, real, hostile):
    for folder in (real, hostile):
        body = "\n".join(f"\\input{{sections/{path.stem}}}" for path in sorted((folder / "sections").iterdir()))
        keys = re.findall(r"\\bibitem\[.*?\]\{([^}]*)\}", (folder / "report.tex").read_text())
        items = "".join(f"\\bibitem{{{key}}} x\n" for key in keys)
        body += f"\n\\begin{{thebibliography}}{{9}}\n{items}\\end{{thebibliography}}" if items else ""
        (folder / "paper.tex").write_text(document(body, options), encoding="ascii")
        done = compiled(folder, "pdflatex", "paper")
        assert (done.errors, done.overfull, done.undefined) == ([], [], [])


def test_a_macro_of_a_number_works_in_a_caption(real):
    body = (
        "\\listoffigures\\section{\\DpoStepsDone{} steps}\\begin{figure}x\\caption{Loss \\DpoLossTrainMean{} and "
        "\\DpoSettingLearningRate.}\\end{figure}"
    )
    given = {**dict(re.findall(r"\\newcommand\{(\\Dpo\w+)\}\{(.*)\} %", (real / "numbers.tex").read_text()))}
    body = body.replace("\\DpoSettingLearningRate", max(given, key=lambda name: len(given[name])))
    (real / "caption.tex").write_text(document(body, "", "\\input{numbers}"), encoding="ascii")
    done = compiled(real, "pdflatex", "caption")
    assert (done.errors, done.undefined) == ([], [])
    mean = given["\\DpoLossTrainMean"]
    assert done.text.count(f"Loss {mean} and") == 2


@pytest.mark.parametrize(("switch", "errors", "shown"), [("", 0, 1), ("HideAsk", 0, 0), ("AskError", 1, 0)])
def test_open_questions_are_shown_hidden_or_errors(switch, errors, shown, tmp_path):
    preamble = (f"\\newcommand{{\\Dpo{switch}}}{{}}" if switch else "") + helpers()
    body = "\\section{\\DpoAsk{hw}{which machine}} Text."
    (tmp_path / "ask.tex").write_text(document(body, "", preamble), encoding="ascii")
    done = compiled(tmp_path, "pdflatex", "ask", runs=1)
    assert (len(done.errors), done.text.count("[? which machine]")) == (errors, shown)


def test_long_words_in_problems_and_code_stay_in_the_column(tmp_path):
    long = "a" * 300 + "/" + "Abc" * 60
    analysis = replace(made.analysis(made.first_user()), problems=(Problem(long, long, long),))
    one = Kit(analysis, "1", DIALECTS["latex"], tuple(p.item for p in default_host().sections))
    text = one.render("reproducibility.tex", section=one.sections[4])
    text += f"\n\nA sentence with {tex.escape(long)} and {tex.code(long)} in it, and {Text((Code('x'),))!s}."
    (tmp_path / "long.tex").write_text(
        document("\\emergencystretch=3em\n" + text, "twocolumn", helpers()), encoding="ascii"
    )
    done = compiled(tmp_path, "pdflatex", "long", runs=1)
    assert (done.errors, done.overfull) == ([], [])


def test_hostile_strings_keep_their_words():
    for text in HOSTILE[:3]:
        words = re.findall(r"[A-Za-z0-9]{2,}", text)
        assert all(word in tex.escape(text).replace("\\allowbreak{}", "") for word in words)
