"""What is shipped: the wheel and the source archive, and a fresh environment that holds nothing but them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("core", "plugins", "templates")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel (built from the source archive) and the source archive."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl")), next(out.glob("*.tar.gz"))


def tracked() -> set[str]:
    """Files below the three folders that git knows or would add."""
    command = ["git", "ls-files", "-co", "--exclude-standard", *FOLDERS]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {line for line in listed.splitlines() if (ROOT / line).is_file()}


def test_the_wheel_holds_the_package_and_nothing_else(archives: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(archives[0]) as wheel:
        names = {name for name in wheel.namelist() if not name.endswith("/")}
    inside = {name for name in names if ".dist-info/" not in name}
    assert {name.split("/")[0] for name in inside} == {"dpo_report"}
    face = ("__init__.py", "testing.py", "py.typed")
    expected = {f"dpo_report/{name}" for name in (*tracked(), *face)}
    assert inside == expected


def test_the_source_archive_can_be_worked_with(archives: tuple[Path, Path]) -> None:
    with tarfile.open(archives[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("pyproject.toml", "README.md", "LICENSE", "Makefile", "core/model.py", "tests/test_wheel.py"):
        assert name in names


def test_an_installed_copy_works_alone(archives: tuple[Path, Path], tmp_path: Path) -> None:
    """The wheel in an environment of its own, with this environment's libraries but not this checkout."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(site)]
    subprocess.run([*command, str(archives[0])], check=True, capture_output=True, timeout=300)
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for item in Path(sysconfig.get_path("purelib")).iterdir():
        if not item.name.lower().startswith(("dpo_report", "_dpo_report", "__editable__")):
            (libraries / item.name).symlink_to(item)
    environment = {**os.environ, "PYTHONPATH": str(libraries)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(python), *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )

    where = run("-c", "import dpo_report.core.model as m; print(m.__file__)")
    assert str(site) in where.stdout, where.stderr
    assert run("-c", "import core").returncode != 0
    example = ROOT / "examples" / "runs" / "kg-8pairs-log1"
    built = run(
        "-c",
        "from dpo_report.core.cli import main; raise SystemExit(main())",
        "build",
        str(example),
        "-f",
        "latex,markdown",
        "-o",
        "out",
    )
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "out" / "report.tex").is_file()
