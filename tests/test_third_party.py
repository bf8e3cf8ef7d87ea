"""The example package of somebody else: installed by pip into a fresh environment and used in a real build."""

import csv
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pypdf import PdfReader

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "examples" / "third_party_plugin"
RUN = ROOT / "examples" / "runs" / "kg-heldout"
COUNTS = "step\tright\tasked\n0\t31\t200\n15\t52\t200\n30\t78\t200\nlater\t1\t2\n"


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Runs dpo-report in an environment that holds the package beside this environment's libraries."""
    home = tmp_path_factory.mktemp("third_party")
    python = home / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home / "env"], check=True)
    where = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True)
    ours = [f"import site; site.addsitedir({path!r})\n" for path in sys.path if path.endswith("-packages")]
    (Path(where.strip()) / "ours.pth").write_text("".join(ours))
    shutil.copytree(PACKAGE, home / "package", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    install = [python, "-m", "pip", "install", *options, home / "package"]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    program = "import sys; from dpo_report.core.cli import main; sys.exit(main())"

    def run(*words):
        return subprocess.run(
            [python, "-c", program, *map(str, words)], capture_output=True, text=True, cwd=home, timeout=240
        )

    return run


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A run as the trainer left it, with the file that the package reads beside it."""
    folder = tmp_path_factory.mktemp("runs") / "kg-heldout"
    shutil.copytree(RUN, folder, ignore=shutil.ignore_patterns("report"))
    (folder / "edges.tsv").write_text(COUNTS)
    return folder


@pytest.fixture(scope="module")
def report(command, run_folder, tmp_path_factory):
    """The folder of a report in several formats, and what was said on stderr."""
    out = tmp_path_factory.mktemp("out") / "report"
    done = command(
        "build", run_folder, "-f", "latex,markdown,html,csv,pdf,docx,odt,epub,rst,typst,modelcard", "-o", out
    )
    assert done.returncode == 0, done.stderr
    return out, done.stderr


def test_it_is_listed(command):
    listed = {plugin["name"]: plugin for plugin in json.loads(command("plugins", "--json").stdout)["plugins"]}
    edges = listed["edges"]
    assert (edges["status"], edges["version"], edges["package"]) == ("ok", "0.1.0", "dpo-report-edges")
    assert edges["objects"] == {
        "readers": ["edges"],
        "metrics": ["edges.share.last"],
        "curves": ["edges"],
        "checks": ["EDGES1"],
        "sections": ["edges"],
        "formats": ["csv"],
    }


def test_what_it_reads_joins_the_run(report):
    out, said = report
    (run,) = json.loads((out / "report.json").read_text())["runs"]
    assert run["reader"] == "hf_trainer"
    names = [(series["name"], series["split"]) for series in run["series"]]
    assert ("edges/share", "eval") in names
    assert ("loss", "train") in names
    (value,) = [value for value in run["values"] if value["name"] == "edges.share.last"]
    assert (value["value"], value["n"], value["sources"]) == (0.39, 200, [{"file": "edges.tsv", "where": "line 4"}])
    assert "edges.tsv: line 5 does not hold three numbers" in said


def test_its_section_and_figure_stand_at_their_place(report):
    out, _ = report
    tex = (out / "report.tex").read_text()
    assert tex.index("sections/results") < tex.index("sections/edges") < tex.index("sections/discussion")
    assert (out / "figures" / "edges.pdf").read_bytes().startswith(b"%PDF")
    assert "\\DpoEdgesShareLast" in (out / "numbers.tex").read_text()


def test_its_section_needs_no_template(report):
    """Sentence, title and the value with its interval, whatever the format; and the value in no general table."""
    out, _ = report
    texts = {name: (out / name).read_text() for name in ("report.md", "report.rst", "report.typ", "README.md")}
    texts["report.html"] = re.sub(r"<[^>]+>", "", (out / "report.html").read_text().partition("<main")[2])
    texts["report.pdf"] = " ".join(page.extract_text() for page in PdfReader(out / "report.pdf").pages)
    for name, member in (("docx", "document.xml"), ("odt", "content.xml"), ("epub", ".xhtml")):
        with zipfile.ZipFile(out / f"report.{name}") as packed:
            parts = [packed.read(one).decode() for one in packed.namelist() if one.endswith(member)]
        texts[name] = re.sub(r"<[^>]+>", "", " ".join(parts))
    for name, text in texts.items():
        plain = " ".join(text.split())
        assert "Edges" in plain, name
        assert "78 of 200 answers were right" in plain, name
        assert plain.count("Right answers, last count") - plain.count("Right answers, last count:") >= 1, name
    table = texts["report.md"].partition("Steps, data, time")[2].partition("## Results")[0]
    assert "Right answers" not in table
    section = (out / "sections" / "edges.tex").read_text()
    assert "Right answers, last count" in section and "33, 46]" in section


def test_its_format_is_written(report):
    out, _ = report
    with (out / "report.csv").open(newline="") as stream:
        rows = {row["name"]: row for row in csv.DictReader(stream)}
    assert rows["edges.share.last"]["source"] == "edges.tsv: line 4"
    assert float(rows["loss.train.mean"]["value"]) == pytest.approx(0.605, abs=5e-4)


def test_its_number_is_explained(command, run_folder):
    said = command("explain", "edges.share.last", run_folder).stdout
    assert "Answers that were right" in said
    assert "from edges.tsv, line 4" in said


def test_without_it_the_run_is_as_before(command, run_folder, tmp_path):
    done = command("build", run_folder, "-f", "markdown", "-o", tmp_path / "out", "--no-plugin", "edges")
    assert done.returncode == 0, done.stderr
    assert "EDGES1" not in (tmp_path / "out" / "report.md").read_text()
