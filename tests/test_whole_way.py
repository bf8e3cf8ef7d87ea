"""The main job from outside: the command on every run that this project made, held against what they truly were."""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from dpo_report.core.cli import main
from dpo_report.core.manager import default_host

HOME = Path(__file__).parent
EXAMPLES = HOME.parent / "examples" / "runs"
RUNS = {
    manifest.name.removesuffix(".MANIFEST.json"): manifest
    for folder in (HOME / "runs", EXAMPLES)
    for manifest in sorted(folder.glob("*.MANIFEST.json"))
}
SEVERAL = {"dpo-seeds", "two-runs-one-folder"}
SINGLE = sorted(set(RUNS) - SEVERAL)


def folder_of(name: str) -> Path:
    return RUNS[name].with_name(name)


def fingerprint(root: Path) -> str:
    """Names, sizes, times and contents of everything below a folder but a report of ours."""
    parts = []
    for path in sorted(root.rglob("*")):
        if path.relative_to(root).parts[0] == "report":
            continue
        status = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        parts.append((str(path.relative_to(root)), status.st_size, status.st_mtime_ns, content))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports by run, made once by the command."""
    made: dict[str, Path] = {}
    for name in SINGLE:
        target = tmp_path_factory.mktemp("reports") / name
        before = fingerprint(folder_of(name))
        assert main(["build", str(folder_of(name)), "-f", "latex,markdown,json", "-o", str(target), "-q"]) == 0, name
        assert fingerprint(folder_of(name)) == before, f"{name} was changed by being read"
        made[name] = target
    return made


def record(report: Path) -> dict[str, Any]:
    runs = json.loads((report / "report.json").read_text(encoding="utf-8"))["runs"]
    assert len(runs) == 1
    return dict(runs[0])


@pytest.mark.parametrize("name", SINGLE)
def test_numbers_equal_what_the_trainer_returned(name: str, built: dict[str, Path]) -> None:
    manifest = json.loads(RUNS[name].read_text(encoding="utf-8"))
    process = manifest["processes"][-1] if "processes" in manifest else manifest
    report = record(built[name])
    output = process.get("train_output")
    if output is None:
        assert report["status"] == "incomplete"
        return
    assert report["global_step"] == output["global_step"]
    told = report["summary"].get("train_loss")
    if told is not None:
        expected = output["training_loss"]
        if math.isnan(expected):
            assert told["value"] == "NaN"
        else:
            assert told["value"] == pytest.approx(expected, rel=1e-6)
    passed = process["passed"]
    for setting in ("learning_rate", "num_train_epochs", "per_device_train_batch_size", "seed"):
        if setting in passed:
            assert report["settings"][setting]["value"] == pytest.approx(passed[setting])


@pytest.mark.parametrize("name", SINGLE)
def test_rows_and_rates_agree_with_the_number_of_pairs(name: str, built: dict[str, Path]) -> None:
    manifest = json.loads(RUNS[name].read_text(encoding="utf-8"))
    process = manifest["processes"][-1] if "processes" in manifest else manifest
    values = {value["name"]: value for value in record(built[name])["values"]}
    rows = values.get("data.rows")
    if rows is None or process.get("n_train") is None:
        return
    if isinstance(rows["value"], str):
        assert rows["low"] <= process["n_train"] <= rows["high"]
    else:
        assert rows["value"] == process["n_train"]
    held = values.get("data.eval_rows")
    if held is not None and isinstance(process.get("n_eval"), int):
        assert held["value"] == process["n_eval"]


@pytest.mark.parametrize("name", SINGLE)
def test_every_number_has_a_source_that_exists(name: str, built: dict[str, Path]) -> None:
    for value in record(built[name])["values"]:
        for source in value["sources"]:
            assert (folder_of(name) / source["file"]).is_file(), (value["name"], source)
    unsourced = [v["name"] for v in record(built[name])["values"] if not v["sources"] and v["name"] != "loss.start"]
    assert unsourced == []


def own_words(report: Path) -> str:
    """What the report says in its own name: not the appendices, which quote phrases, nor the list of silences."""
    text = (report / "report.md").read_text(encoding="utf-8")
    body = text.split("## Reproducibility")[0]
    return "\n".join(line for line in body.splitlines() if not line.startswith("Nothing in this run speaks about"))


@pytest.mark.parametrize("name", SINGLE)
def test_the_report_keeps_its_own_blocklist(name: str, built: dict[str, Path]) -> None:
    patterns = [p for provided in default_host().claims for p in provided.item.patterns]
    assert len(patterns) > 25
    words = own_words(built[name])
    hits = [(pattern, match[0]) for pattern in patterns for match in re.finditer(pattern, words, re.I)]
    allowed = {"generalisation", "over-optimisation"}  # named only to say that there is no evidence of it
    assert [hit for hit in hits if hit[1].lower() not in allowed] == []
    for match in re.finditer("generalisation", words):
        assert "no evidence of " in words[max(0, match.start() - 20) : match.start()]


@pytest.mark.parametrize("name", SINGLE)
def test_no_plugin_fails_on_it(name: str, built: dict[str, Path]) -> None:
    report = record(built[name])
    assert [f["code"] for f in report["findings"] if f["status"] == "failed"] == []
    assert [p for p in report["problems"] if p["where"].startswith("plugin")] == []


@pytest.mark.parametrize("name", SINGLE)
def test_inspect_tells_the_same_level(name: str, built: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(folder_of(name)), "--all"]) == 0
    shown = capsys.readouterr().out
    level = record(built[name])["claims"]["level"]
    assert (f"claim level {level} of 5" in shown) if level >= 0 else ("supports no claim" in shown)
    assert main(["inspect", str(folder_of(name)), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["claims"]["level"] == level


def test_explain_names_file_and_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "train_loss", str(folder_of("kg-8pairs-log1"))]) == 0
    shown = capsys.readouterr().out
    assert "mean training loss over the run" in shown
    assert "from trainer_state.json, log_history[4].train_loss" in shown
    assert main(["explain", "loss.train.median_first", str(folder_of("kg-heldout"))]) == 0
    shown = capsys.readouterr().out
    assert all(f"log_history[{row}].loss" in shown for row in (1, 2))


@pytest.mark.parametrize("name", ["train_loss", "C2", "c2", "training_args.bin", "rewards/margins", "K3"])
def test_explain_without_a_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 2


def test_explain_offers_what_was_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "train_los"]) == 1
    assert "did you mean train_loss" in capsys.readouterr().err


def test_explain_tells_a_setting_of_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "beta", str(folder_of("kg-heldout"))]) == 0
    assert capsys.readouterr().out.startswith("beta: a setting of the run\n  in kg-heldout: 0.1")
    assert main(["explain", "beta"]) == 1
    assert "a setting is known with its run" in capsys.readouterr().err


def test_a_folder_of_templates_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [
        "build",
        str(folder_of("kg-8pairs")),
        "-o",
        str(tmp_path / "out"),
        "--template-dir",
        str(tmp_path / "nowhere"),
    ]
    assert main(given) == 1
    assert "no such folder of templates" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_explain_all_lists_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--all"]) == 0
    shown = capsys.readouterr().out
    for provided in default_host().checks:
        assert f"  {provided.item.code}: " in shown


def test_the_first_users_own_case_says_what_is_missing_and_why(built: dict[str, Path]) -> None:
    text = (built["kg-8pairs"] / "report.md").read_text(encoding="utf-8")
    assert "No per-step loss was logged: the logging interval, 10 steps, exceeds the 4 of the run." in text
    assert "no end-of-training summary was saved, so runtime and mean loss are unavailable" in text


def test_a_run_that_looks_perfect_but_is_broken(built: dict[str, Path]) -> None:
    report = record(built["dpo-nan"])
    assert report["status"] == "diverged"
    assert report["claims"]["level"] <= 0
    text = own_words(built["dpo-nan"])
    assert "Values were not finite at steps" in text
    assert "no sign of a good fit" in text


def test_seeds_are_several_runs_and_never_mixed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    parent = HOME / "runs" / "dpo-seeds"
    assert main(["build", str(parent), "-o", str(tmp_path / "x")]) == 1
    error = capsys.readouterr().err
    assert all(f"seed-{n}" in error for n in (1, 2, 3))
    assert not (tmp_path / "x").exists()
    seeds = [str(parent / f"seed-{n}") for n in (1, 2, 3)]
    assert main(["build", *seeds, "-o", str(tmp_path / "y"), "-f", "json", "-q"]) == 0
    assert sorted(p.name for p in (tmp_path / "y").iterdir()) == ["seed-1", "seed-2", "seed-3"]


def test_two_runs_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    assert main(["build", str(folder_of("two-runs-one-folder")), "-o", str(tmp_path / "x"), "-f", "json", "-q"]) == 0
    report = record(tmp_path / "x")
    assert any("another training run" in problem["message"] for problem in report["problems"])


def test_the_committed_report_is_what_is_built_today(tmp_path: Path) -> None:
    """Renew it by `make golden` after a wanted change, and read the difference."""
    golden, fresh = EXAMPLES / "kg-heldout" / "report", tmp_path / "fresh"
    assert main(["build", str(EXAMPLES / "kg-heldout"), "-f", "latex,markdown", "-o", str(fresh), "-q"]) == 0
    names = {str(p.relative_to(golden)) for p in golden.rglob("*") if p.is_file()}
    assert names == {str(p.relative_to(fresh)) for p in fresh.rglob("*") if p.is_file()}
    for name in sorted(names):
        if not name.startswith("figures/"):  # another matplotlib draws the same with other bytes
            assert (fresh / name).read_text(encoding="utf-8") == (golden / name).read_text(encoding="utf-8"), name


BAD = {
    "missing": (lambda root: root / "nowhere", "no such file or folder"),
    "empty": (lambda root: root, "run is empty"),
    "strange file": (lambda root: _file(root / "notes.bin", b"\x00\x01\x02"), "no training log that a reader knows"),
    "pointer": (
        lambda root: (
            _file(root / "trainer_state.json", b"version https://git-lfs.github.com/spec/v1\nsize 12\n").parent
        ),
        "git lfs pull",
    ),
}


def _file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("command", ["build", "inspect", "explain"])
@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_input_is_one_line_and_a_hint(
    name: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "run"
    root.mkdir()
    make, words = BAD[name]
    path = make(root)
    before = fingerprint(root)
    given = [command, "train_loss", str(path)] if command == "explain" else [command, str(path)]
    status = main(given)
    if (name, command) == ("pointer", "explain"):
        return  # the pointer tells of a run, and explain tells of numbers only
    error = capsys.readouterr().err
    assert words in error
    if name != "pointer":
        assert status == 1
        assert len(error.strip().splitlines()) <= 2
    assert "Traceback" not in error
    assert fingerprint(root) == before


def test_a_read_only_run_is_reported_elsewhere(tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(folder_of("dpo-log1"), run)
    run.chmod(0o555)
    try:
        assert main(["build", str(run), "-o", str(tmp_path / "out"), "-f", "json", "-q"]) == 0
    finally:
        run.chmod(0o755)
    assert (tmp_path / "out" / "report.json").is_file()
