"""A run that was stopped and resumed in another folder: told and offered, and one only where the user says so."""

import json
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from binary import event_file, scalar
from dpo_report.core.cli import main
from dpo_report.core.errors import ReportError
from dpo_report.core.listing import survey
from dpo_report.core.listtext import text
from dpo_report.core.loader import load
from dpo_report.core.manager import Host

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a log of three curves, and the settings beside it."""

    def written(name: str, steps: Iterable[int], settings: dict[str, object] | None = None, drop: str = "") -> None:
        folder = tmp_path / name
        folder.mkdir()
        columns = [column for column in ("step", "loss", "lr", "accuracy") if column != drop]
        rows = [{"step": n, "loss": 2 / (n + 1), "lr": 0.01 - n / 1e4, "accuracy": n / 100} for n in steps]
        table = [columns, *([str(row[column]) for column in columns] for row in rows)]
        (folder / "log.csv").write_text("".join(",".join(line) + "\n" for line in table))
        if settings is not None:
            (folder / "config.json").write_text(json.dumps(settings))

    return written


RECIPE = {"lr": 0.01, "seed": 1, "resume": None, "out": "a/b"}


def listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    """What ``inspect`` tells of resumed runs, and its offer."""
    assert main(["inspect", str(folder)]) == 0
    out, err = capsys.readouterr()
    return [line for line in out.splitlines() if "seems to go on" in line], err


@pytest.mark.parametrize("first", [22, 18, 8], ids=["at its end", "from a checkpoint before", "from an early one"])
def test_a_resumed_run_is_offered_as_one(
    first: int, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("run one", range(2, 21, 2), RECIPE)
    write("run two", range(first, 41, 2), RECIPE | {"resume": "run one/checkpoint", "out": "a/c"})
    (said,), offered = listed(tmp_path, capsys)
    assert said.startswith(f"run two seems to go on with run one, resumed: steps {first} to 40 after 2 to 20")
    (command,) = [line.partition(" as one: ")[2] for line in offered.splitlines() if " as one: " in line]
    _, _, path, _, file = shlex.split(command)
    run = load(path, with_files=[file])
    assert run.global_step == 40
    assert run.series["loss", "train"].steps.tolist() == list(range(2, 41, 2))
    with pytest.raises(ReportError, match="run two seems to go on with run one"):
        load(tmp_path)
    assert main(["inspect", "--json", str(tmp_path)]) == 0
    rows = {row["path"]: row["goes_on_with"] for row in json.loads(capsys.readouterr().out)["runs"]}
    assert rows == {"run one": None, "run two": "run one"}


@pytest.mark.parametrize(
    ("steps", "more"),
    [
        (range(2, 41, 2), {}),
        (range(30, 41, 2), {}),
        (range(12, 19, 2), {}),
        (range(22, 41, 2), {"settings": RECIPE | {"seed": 2}}),
        (range(22, 41, 2), {"settings": {"lr": 0.01}}),
        (range(22, 41, 2), {"drop": "accuracy"}),
        (range(21, 41, 1), {}),
    ],
    ids=["from the start", "a gap", "no further", "another seed", "fewer settings", "fewer curves", "another interval"],
)
def test_runs_of_their_own_are_not(
    steps: range, more: dict[str, object], write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("one", range(2, 21, 2), RECIPE)
    write("two", steps, **{"settings": RECIPE} | more)
    assert listed(tmp_path, capsys)[0] == []


def test_the_nearest_end_is_gone_on_with(write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, steps in (("a", range(2, 31, 2)), ("b", range(2, 21, 2)), ("c", range(22, 41, 2))):
        write(name, steps, RECIPE)
    assert [line.partition(",")[0] for line in listed(tmp_path, capsys)[0]] == ["c seems to go on with b"]


def test_without_settings_three_curves_must_be_the_same(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("one", range(2, 21, 2))
    write("two", range(22, 41, 2))
    assert listed(tmp_path, capsys)[0][0].endswith("the same curves, no settings to compare")
    for name in ("one", "two"):
        table = tmp_path / name / "log.csv"
        table.write_text("".join(line.rpartition(",")[0] + "\n" for line in table.read_text().splitlines()))
    assert listed(tmp_path, capsys)[0] == []


def test_two_logs_of_one_run_side_by_side_are_told(tmp_path: Path) -> None:
    rows = [(10 * step, 0.9 / step, 0.5 + 0.031 * step, 0.8 - 0.017 * step) for step in range(1, 7)]
    table = ["global_step,train_loss,eval_loss,auroc", *(",".join(map(str, row)) for row in rows)]
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "training_progress_scores.csv").write_text("\n".join(table) + "\n")
    names = ("last_batch", "eval_loss", "area")
    logged = [scalar(name, row[0], row[at + 1]) for row in rows for at, name in enumerate(names)]
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "events.out.tfevents.1.host.1.0").write_bytes(event_file(logged))
    said = text(survey(tmp_path, Host()).listed)
    assert "runs seems to be another log of the run in outputs: the same values at the same steps" in said
    changed = [scalar(name, row[0], row[at + 1] + 0.01 * (at == 2)) for row in rows for at, name in enumerate(names)]
    (tmp_path / "runs" / "events.out.tfevents.1.host.1.0").write_bytes(event_file(changed))
    assert "seems to be another log" not in text(survey(tmp_path, Host()).listed)


def test_a_run_begun_anew_after_a_crash_does_not_go_on(tmp_path: Path) -> None:
    """Of a long state only both ends are read, and yet its first step is known."""
    for name, rows in (("crashed", 290), ("again", 300)):
        history = [{"loss": 1 / step, "grad_norm": 1.5, "learning_rate": 1e-5, "step": step} for step in range(1, rows)]
        whole = {"global_step": rows, "log_history": history, "max_steps": 300}
        (tmp_path / name).mkdir()
        (tmp_path / name / "trainer_state.json").write_text(json.dumps(whole, indent=2))
    assert [(one.path, one.goes_on_with) for one in survey(tmp_path, Host(discover=False)).listed] == [
        ("again", ""), ("crashed", ""),
    ]  # fmt: skip
