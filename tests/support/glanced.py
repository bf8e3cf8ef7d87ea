"""What a list says of runs, at a glance and from reading whole."""

from pathlib import Path

from dpo_report.core.continued import span
from dpo_report.core.contract import Reader
from dpo_report.core.folder import Folder, natural
from dpo_report.core.listed import Listed
from dpo_report.core.loader import load_all, place_of
from dpo_report.core.manager import Host
from dpo_report.core.model import Witness


def listed(witness: Witness) -> tuple[object, ...]:
    """What a list says of a run."""
    loss = next((one for one in witness.series if (one.name, one.split) == ("loss", "train") and len(one)), None)
    return (
        witness.folder, witness.identity, witness.name, witness.method, witness.status, witness.global_step,
        witness.max_steps, None if loss is None else repr(float(loss.values[-1])),
    )  # fmt: skip


def looks(reader: Reader, path: Path) -> tuple[list[Witness], list[Witness]]:
    """At a glance, and whole."""
    assert reader.glance is not None
    return list(reader.glance(Folder.open(path))), list(reader.read(Folder.open(path)))


def agree(reader: Reader, path: Path) -> list[Witness]:
    quick, whole = looks(reader, path)
    assert [listed(one) for one in quick] == [listed(one) for one in whole]
    return quick


def interval(witness: Witness) -> float | None:
    found = span(witness)
    return None if found is None else found.interval


def seen(one: Listed) -> tuple[object, ...]:
    return one.path, one.method, one.status, one.step, one.planned, one.loss, one.settings, one.file


def of_whole(path: Path) -> list[tuple[object, ...]]:
    """What a list would say of the runs in one folder, read whole."""
    found: list[tuple[object, ...]] = []
    for run in load_all(path, Host(discover=False)):
        settings = {name: setting.value for name, setting in run.settings.items()}
        loss, file = run.get("loss"), run.directory.relative_to(path) / run.witnesses[0].files[0]
        last = float(loss.values[-1]) if loss is not None and len(loss) else None
        place = place_of(run, path)
        found.append((place, run.method, run.status, run.global_step, run.max_steps, last, settings, file.as_posix()))
    return sorted(found, key=lambda one: natural(str(one[0])))
