"""Which of several methods that a run's files tell is used, and what is told of the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dpo_report.core.model import Problem, Witness

NO_GUESS = 0.75
"""How sure a method is at least that something names, and that was not concluded from what was logged."""
Method = tuple[str | None, str]
"""A method, and what tells it."""


def surest(group: Sequence[Witness]) -> Witness:
    """The witness that is surest of the method, of equally sure ones the weightiest; any where none tells it."""
    return max((one for one in group if one.method), key=lambda one: one.method_sure, default=group[0])


def contradicted(used: Witness, group: Sequence[Witness]) -> Iterator[Problem]:
    """A problem for each witness that names another method than the one that is used."""
    for one in group:
        if one.method and min(used.method_sure, one.method_sure) >= NO_GUESS:
            file = one.files[0] if one.files else "."
            yield from differing(file, (used.method, used.method_why), (one.method, one.method_why))


def differing(file: str, used: Method, other: Method) -> Iterator[Problem]:
    """A problem where two methods differ that are both no guess."""
    if used[0] != other[0]:
        said = f"the method would be {other[0]}, since {other[1]}; {used[0]} is used, since {used[1]}"
        yield Problem(file, said)
