"""A first look at the runs below a folder: what each reader knows at a glance, and whose folder it lies in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from dpo_report.core.model import Problem, Witness

if TYPE_CHECKING:
    from dpo_report.core.contract import Reader
    from dpo_report.core.folder import Entry, Folder
    from dpo_report.core.manager import Host

_DOUBTFUL = 48
"""Runs that are not settled and worth a whole look: hundredths of a second each."""
_BYTES = 32 << 20
"""Of their logs together."""
_ENDED = ("completed", "diverged")


def glances(folder: Folder, host: Host) -> list[Witness]:
    """The runs that readers know at a glance; what lies in the folder of one is not shown to the readers after it."""
    found: list[Witness] = []
    left = folder
    for provided in host.readers:
        if provided.item.glance is None or not left.entries:
            continue
        told = host.guard(provided, provided.item.glance, left)
        if isinstance(told, Problem) or not told:
            continue
        rest = left.outside({witness.folder for witness in told} - {""})
        top = [witness for witness in told if not witness.folder]
        if top and top[0].identity and _tells_more(rest.holding(_unknown(rest, top, provided.item)), host):
            found += [witness for witness in told if witness.folder]  # those at the top are told with what is beside
            left = rest
        else:
            found += told
            left = rest.holding(()) if top else rest
    return found


def _tells_more(rest: Folder, host: Host) -> bool:
    """Whether a reader knows any of these files, which may be no more than models and pictures."""
    seen = (host.guard(provided, provided.item.detect, rest) for provided in host.readers)
    return bool(rest.entries) and any(match is not None for match in seen)  # also where one failed


def by_folder(quick: Sequence[Witness]) -> dict[str, list[Witness]]:
    """What was seen at a glance, by run folder."""
    found: dict[str, list[Witness]] = {}
    for witness in quick:
        found.setdefault(witness.folder, []).append(witness)
    return found


def doubtful(
    folder: Folder, parts: Mapping[str, Folder], hosts: Mapping[str, Sequence[Witness]], host: Host
) -> tuple[set[str], bool]:
    """The run folders of which a whole look may tell more than the glance, and whether they are few and small."""
    readers = {provided.item.name: provided.item for provided in host.readers}
    found = {
        home
        for home, told in hosts.items()
        if not all(map(_settled, told)) and any(_unknown(parts[home], told, readers[told[0].reader]))
    }
    sizes = {entry.path: entry.size for entry in folder.entries}
    logs = {f"{one.folder}/{file}".lstrip("/") for home in found for one in hosts[home] for file in one.files}
    small = sum(sizes.get(log, 0) for log in logs) <= _BYTES
    return found, small and len(found) <= _DOUBTFUL


def _settled(witness: Witness) -> bool:
    """Whether a run was seen to its end, with its method, its steps and a training loss."""
    known = witness.method is not None and witness.global_step is not None
    return (
        witness.status in _ENDED and known and any((one.name, one.split) == ("loss", "train") for one in witness.series)
    )


def _unknown(part: Folder, told: Sequence[Witness], reader: Reader) -> Iterator[Entry]:
    """Logs, and files that the reader does not know, of a folder of runs which it looked at."""
    seen = {file for witness in told for file in witness.files}
    kinds = [kind.pattern for kind in reader.files if kind.role != "log"]
    for entry in part.entries:
        if entry.path not in seen and not any(fnmatchcase(entry.name, pattern) for pattern in kinds):
            yield entry
