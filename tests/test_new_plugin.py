"""`dpo-report new-plugin`: the package that it writes passes its own tests, whatever it is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dpo_report.core.cli import main
from dpo_report.core.errors import ReportError
from dpo_report.plugins.scaffold import package

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "third_party_plugin"
CACHES = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"}


def tree(folder):
    """Text of every file below a folder, by path; what Python leaves there apart."""
    files = (path for path in folder.rglob("*") if path.is_file() and not CACHES & set(path.parts))
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_the_example_is_what_the_command_writes():
    assert tree(EXAMPLE) == package.package(package.names("edges"))


def test_the_package_passes_its_own_tests(tmp_path, capsys):
    folder = tmp_path / "mine"
    assert main(["new-plugin", "Graph-Hits", "-o", str(folder)]) == 0
    assert "(11 files)" in capsys.readouterr().out
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "@@" not in "".join(tree(folder).values())
    assert (folder / "src" / "dpo_report_graph_hits" / "py.typed").is_file()


@pytest.mark.parametrize(
    ("given", "name"), [("edges", "edges"), ("Graph edges", "graph_edges"), ("dpo-report-kg2", "kg2")]
)
def test_names(given, name):
    words = package.names(given)
    assert words["package"] == f"dpo_report_{name}"
    assert words["distribution"] == f"dpo-report-{name}".replace("_", "-")
    assert words["code"] == f"{name.upper()}1"


@pytest.mark.parametrize("name", ["", "2edges", "a/b", "../x", "class", "é", "a__b", "x" * 40, "a\nb;"])
def test_a_name_that_no_package_can_have_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReportError, match="cannot be the name of a plugin"):
        package.new_plugin(name, None)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").write_text("kept")
    assert main(["new-plugin", "edges", "-o", str(mine)]) == 1
    assert "holds something; nothing was written" in capsys.readouterr().err
    assert tree(mine) == {"notes.txt": "kept"}
    assert main(["new-plugin", "edges", "-o", str(mine / "notes.txt")]) == 1
    assert main(["new-plugin", "edges", "-o", str(mine / "notes.txt" / "below")]) == 1
    assert "cannot write" in capsys.readouterr().err
