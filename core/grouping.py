"""Places of a folder become runs: event files, trackers and logs join the run whose values they tell."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from dpo_report.core.counting import recounted
from dpo_report.core.kinship import Evidence, alike, has_metrics, related, without_tail
from dpo_report.core.merge import moved
from dpo_report.core.model import Problem, Series, Witness

Place = tuple[str, str]
"""Folder and identity."""
_SAMPLE = 8
"""Points from both ends of a series by which places that may be one run are found."""
_SAMPLED = 12
"""Series of a place that are sampled."""


@dataclass(slots=True)
class Group:
    """The witnesses of one run."""

    place: Place
    witnesses: list[Witness]
    joined: list[tuple[Place, str]] = field(default_factory=list)
    """Other places that tell of this run, and what shows it."""
    problems: list[Problem] = field(default_factory=list)

    @property
    def readers(self) -> set[str]:
        """Who told."""
        return {witness.reader for witness in self.witnesses}

    @property
    def rank(self) -> tuple[int, int, int]:
        """The higher, the more it can be the run that others tell of."""
        strongest = max(self.witnesses, key=lambda witness: witness.precision)
        return (has_metrics(self.witnesses), strongest.precision, -self.place[0].count("/") - bool(self.place[0]))


def grouped(witnesses: Iterable[Witness]) -> list[Group]:
    """Runs, in the order in which their places were told."""
    places: dict[Place, Group] = {}
    for witness in witnesses:
        place = (witness.folder, witness.identity)
        places.setdefault(place, Group(place, [])).witnesses.append(witness)
    groups = list(places.values())
    if len(groups) < 2:
        return groups
    gone: set[Place] = set()
    best: dict[Place, list[tuple[Evidence, Group]]] = {}
    for host, guest in _candidates(groups):
        found = related(host.witnesses, guest.witnesses)
        if found is not None:
            best.setdefault(guest.place, []).append((found, host))
    matched: dict[tuple[Place, str], tuple[int, Place]] = {}
    chosen: dict[Place, tuple[Evidence, Group]] = {}
    claims = Counter(host.place for options in best.values() for found, host in options if found.by_settings)
    for place, every in best.items():
        options = [(found, host) for found, host in every if not found.by_settings or claims[host.place] == 1]
        if not options:
            continue
        found, host = max(options, key=lambda option: (option[0].weight, len(option[1].place[0])))
        chosen[place] = found, host
        slot = (host.place, place[0])  # of attempts in one folder only the one that fits best is this run
        if slot not in matched or matched[slot][0] < found.weight:
            matched[slot] = found.weight, place
    for place, (found, host) in sorted(chosen.items(), key=lambda item: item[1][0].by_nothing):
        if matched[host.place, place[0]][1] == place and host.place not in gone and not places[place].joined:
            if found.by_nothing and _one_of_others(places[place], host, [g for g in groups if g.place not in gone]):
                continue
            _join(host, places[place], found)
            gone.add(place)
    left = [group for group in groups if group.place not in gone]
    for host, guest in _alone(left):
        _join(host, guest, Evidence(why="the only log below a folder that has none of its own"))
        gone.add(guest.place)
    return _without_husks([group for group in left if group.place not in gone])


def within(path: str, home: str) -> bool:
    """Whether a relative path lies in a folder (the empty one holds all), or is that folder."""
    return not home or path == home or path.startswith(home + "/")


def _candidates(groups: Sequence[Group]) -> Iterator[tuple[Group, Group]]:
    """Pairs that may be one run: a folder and one within it; and any two of one recipe that share logged values."""
    by_folder: dict[str, list[Group]] = {}
    for group in groups:
        by_folder.setdefault(group.place[0], []).append(group)
    readers = {home: set().union(*(group.readers for group in inside)) for home, inside in by_folder.items()}
    seen: set[tuple[Place, Place]] = set()
    for guest in groups:
        own = guest.readers
        for home in _homes(guest.place[0]):
            if len(own) == 1 and readers.get(home) == own:
                continue  # a thousand runs of one reader, which told them apart
            for host in by_folder.get(home, ()):
                pair = _ordered(host, guest)
                if pair and (pair[0].place, pair[1].place) not in seen:
                    seen.add((pair[0].place, pair[1].place))
                    yield pair
    by_value: dict[tuple[str, str, float, float], list[Group]] = {}
    for group in groups:
        for value in _samples(group):
            by_value.setdefault(value, []).append(group)
    for found in by_value.values():
        for number, one in enumerate(found[:_SAMPLED]):
            for other in found[number + 1 : _SAMPLED]:
                pair = _ordered(one, other)
                if pair and (pair[0].place, pair[1].place) not in seen:
                    seen.add((pair[0].place, pair[1].place))
                    if alike(pair[0].witnesses, pair[1].witnesses):
                        yield pair


def _homes(folder: str) -> Iterator[str]:
    """A folder and all those above it."""
    yield folder
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder


def _ordered(one: Group, other: Group) -> tuple[Group, Group] | None:
    """Host and guest; None where a reader that told both has told them apart."""
    if one is other or one.readers & other.readers:
        return None
    if one.place[0] != other.place[0]:
        for host, guest in ((one, other), (other, one)):
            if not host.place[1] and within(guest.place[0], host.place[0]):
                return host, guest
    return (one, other) if one.rank >= other.rank else (other, one)


def _samples(group: Group) -> set[tuple[str, str, float, float]]:
    """Logged values by name, split and step, rounded."""
    found: set[tuple[str, str, float, float]] = set()
    curves: list[Series] = [one for witness in group.witnesses for one in witness.series]
    for one in curves[:_SAMPLED]:
        ends = {*range(min(_SAMPLE, len(one))), *range(max(0, len(one) - _SAMPLE), len(one))}
        for index in ends:
            value = float(one.values[index])
            if value == value and value != round(value, 1):
                found.add((one.name, one.split, float(one.steps[index]), float(f"{value:.3g}")))
    return found


def _join(host: Group, guest: Group, found: Evidence) -> None:
    told = guest.witnesses
    if found.until is not None:
        said = f"what it has after step {found.until:g} was done again after a resumption and is not used"
        told = [without_tail(witness, found.until, said) for witness in told]
    if found.recount:
        told = [recounted(witness, found.recount) for witness in told]
    host.witnesses += [_seen_from(witness, host.place) for witness in told]
    host.joined += [(guest.place, found.why), *guest.joined]
    host.problems += guest.problems


def _one_of_others(empty: Group, host: Group, left: Sequence[Group]) -> bool:
    """Whether runs that are not the host's were logged as this empty place was: then it may be one of those."""
    return any(
        other is not empty
        and other is not host
        and other.readers & empty.readers
        and within(other.place[0], host.place[0])
        and has_metrics(other.witnesses)
        for other in left
    )


def _seen_from(witness: Witness, place: Place) -> Witness:
    """A witness whose files are named from another folder."""
    there = os.path.relpath(witness.folder or ".", place[0] or ".")
    if there != ".":
        witness = moved(witness, PurePosixPath(there).as_posix())
    return replace(witness, folder=place[0], identity=place[1])


def _alone(groups: Sequence[Group]) -> Iterator[tuple[Group, Group]]:
    """Folders without any log, each with the single run below it that another reader found."""
    for host in groups:
        if has_metrics(host.witnesses) or host.place[1]:
            continue
        below = [group for group in groups if group is not host and within(group.place[0], host.place[0])]
        if len(below) == 1 and has_metrics(below[0].witnesses) and not host.readers & below[0].readers:
            yield host, below[0]


def _without_husks(groups: list[Group]) -> list[Group]:
    """Without folders that hold weights and cards but no log, above several runs that have one: they belong to one of
    those, and nothing tells to which."""
    kept = []
    for group in groups:
        if has_metrics(group.witnesses) or group.place[1]:
            kept.append(group)
            continue
        below = [
            other
            for other in groups
            if other is not group and within(other.place[0], group.place[0]) and has_metrics(other.witnesses)
        ]
        if len(below) < 2 or any(group.readers & other.readers for other in below):
            kept.append(group)
            continue
        where = group.witnesses[0].files[0] if group.witnesses[0].files else "."
        said = f"belongs to one of the {len(below)} runs in this folder; nothing tells to which"
        below[0].problems.append(Problem(where, said))
    return kept
