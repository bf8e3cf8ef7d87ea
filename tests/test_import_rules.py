"""Who may import whom, what start-up may cost, and how long a module may be."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for folder in ("core", "plugins") for path in (ROOT / folder).rglob("*.py"))
HEAVY = {"torch", "transformers", "trl", "matplotlib", "pypandoc", "jinja2", "numpy", "msgspec", "rich", "typst"}


def imported(path):
    """Every module name that a file imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def by_path(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("options", [[], ["--plugin", str(ROOT / "tests" / "plugins" / "good.py")]])
def test_help_imports_nothing_heavy(options, tmp_path):
    code = (
        "import sys; from dpo_report.core.cli import main; status = main(sys.argv[1:])\n"
        "sys.stderr.write(' '.join(sys.modules)); sys.exit(status)"
    )
    words = [sys.executable, "-c", code, *options, "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=tmp_path)
    loaded = set(done.stderr.split())
    assert "dpo_report.core.cli" in loaded
    assert not HEAVY & loaded


@pytest.mark.parametrize("path", [path for path in MODULES if path.is_relative_to(ROOT / "core")], ids=by_path)
def test_core_imports_no_plugin(path):
    assert not [name for name in imported(path) if name.startswith("dpo_report.plugins")]


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_the_package_is_imported_by_its_own_name(path):
    assert not {name.partition(".")[0] for name in imported(path)} & {"core", "plugins", "templates"}


@pytest.mark.parametrize("path", MODULES, ids=by_path)
def test_no_module_is_longer_than_400_lines(path):
    assert len(path.read_text().splitlines()) <= 400
