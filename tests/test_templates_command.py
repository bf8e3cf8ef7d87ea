"""`dpo-report templates`: where each template lies, what stands before what, and copies to start from."""

from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.core.dialect import DIALECTS
from dpo_report.core.render import BUILTIN

ROOT = Path(__file__).parents[1]
RUN = ROOT / "examples" / "runs" / "kg-heldout"


def listed(capsys, *words):
    """The lines of the list by template: where it lies, and the remark."""
    assert main(["templates", *map(str, words)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["TEMPLATE", "USED", "FROM", "REMARK"]
    return {line.split(maxsplit=1)[0]: " ".join(line.split()[1:]) for line in lines}


def test_every_built_in_template_is_listed(capsys):
    found = listed(capsys)
    files = {
        path.relative_to(BUILTIN).as_posix()
        for family, dialect in DIALECTS.items()
        for path in (BUILTIN / family).rglob(f"*{dialect.suffix}")
    }
    assert set(found) == files
    assert set(found.values()) == {"built-in"}


def test_a_folder_of_ones_own_stands_first(tmp_path, capsys):
    for name in (
        "latex/results.tex",
        "latex/wording/C2.tex",
        "latex/wording/C22.tex",
        "markdown/resluts.md",
        "latex/my.tex",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = listed(capsys, "--template-dir", tmp_path)
    assert found["latex/results.tex"] == f"{tmp_path} instead of built-in"
    assert found["latex/wording/C2.tex"] == str(tmp_path)
    assert found["latex/wording/C22.tex"].startswith(f"{tmp_path} there is no rule C22; did you mean C")
    assert found["markdown/resluts.md"] == f"{tmp_path} no section of that name; did you mean results?"
    assert found["latex/my.tex"] == str(tmp_path)
    assert found["latex/discussion.tex"] == "built-in"


def test_templates_of_a_plugin_are_listed_by_its_name(tmp_path, capsys):
    (tmp_path / "markdown").mkdir()
    (tmp_path / "markdown" / "rules.md").write_text("x")
    (tmp_path / "mine.py").write_text(
        "from dpo_report import hookimpl\n__version__ = '1.5'\n"
        f"@hookimpl\ndef register_templates():\n    return [{str(tmp_path)!r}]\n"
    )
    assert listed(capsys, "--plugin", tmp_path / "mine.py")["markdown/rules.md"] == "mine 1.5 instead of built-in"


def test_a_copy_is_the_template_that_is_used(tmp_path, capsys):
    for name in ("latex/discussion.tex", "markdown/macros.md", "html/base.html"):
        assert main(["templates", "--copy", name, str(tmp_path)]) == 0
        assert (tmp_path / name).read_text() == (BUILTIN / name).read_text()
        assert capsys.readouterr().out == f"{tmp_path / name}\n"
    assert main(["templates", "--copy", "latex/discussion.tex", str(tmp_path)]) == 1
    assert "exists; it was left as it is" in capsys.readouterr().err


@pytest.mark.parametrize("family", ["latex", "markdown", "html"])
def test_a_copy_of_a_rules_wording_says_what_the_rule_says(family, tmp_path):
    suffix = DIALECTS[family].suffix
    mine, plain, other = (tmp_path / name for name in ("mine", "plain", "other"))
    for code in ("C2", "E1", "A3"):
        assert main(["templates", "--copy", f"{family}/wording/{code}{suffix}", str(mine)]) == 0
    assert "Rule C2: " in (mine / family / "wording" / f"C2{suffix}").read_text()
    build = ["build", "-q", str(RUN), "-f", family]
    assert main([*build, "-o", str(plain)]) == 0
    assert main([*build, "-o", str(other), "--template-dir", str(mine)]) == 0
    if family != "html":  # where a number of a rule's own sentence also tells its source
        for file in plain.rglob(f"*{suffix}"):
            assert (other / file.relative_to(plain)).read_text() == file.read_text()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("latex/discusion.tex", "did you mean latex/discussion.tex?"),
        ("latex/wording/C99.tex", "there is no template"),
        ("nothing", "there is no template"),
        ("../core/cli.py", "there is no template"),
        ("latex/../../core/cli.py", "there is no template"),
    ],
)
def test_what_there_is_not_cannot_be_copied(name, said, tmp_path, capsys):
    assert main(["templates", "--copy", name, str(tmp_path / "mine")]) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_or_is_none(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    assert main(["templates", "--copy", "latex/base.tex", str(tmp_path / "file")]) == 1
    assert "cannot write" in capsys.readouterr().err
    assert main(["templates", "--template-dir", str(tmp_path / "file")]) == 1
    assert "no such folder" in capsys.readouterr().err


def test_the_sentences_of_a_run_are_shown_with_what_fills_them(capsys):
    assert main(["templates", "--sentences", str(RUN)]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index("C2: The training loss averaged over all 30 steps was 0.605 (analytic starting value 0.693).")
    assert lines[at + 1 : at + 3] == ["    over: all 30 steps", "    x: 0.605"]
