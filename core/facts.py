"""``dpo-report.toml`` of a run: what whoever trained tells of it, and the author's answers, here or in another file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from dpo_report.core.errors import ReportError
from dpo_report.core.folder import Folder
from dpo_report.core.merge import bounded
from dpo_report.core.model import Problem, Run, RunStatus, Setting, Source, Witness

FILE = "dpo-report.toml"
MAX_BYTES = 1 << 20
MAX_DEPTH = 8
MOST = 1000
"""Entries that are kept of one section."""
TOLD = "author"
"""What the witness of the file is called in place of a reader."""
_OF_THE_RUN: dict[str, tuple[type, ...]] = {
    "method": (str,),
    "trainer": (str,),
    "status": (str,),
    "global_step": (int,),
    "max_steps": (int,),
    "epoch": (int, float),
}
"""What ``[run]`` may hold, by the names of :class:`~dpo_report.core.model.Witness`."""


@dataclass(slots=True)
class Facts:
    """What the file tells."""

    facts: dict[str, Setting] = field(default_factory=dict)
    """``[facts]``, nested tables joined by dots."""
    answers: dict[str, str] = field(default_factory=dict)
    """``[answers]`` by question id."""
    witness: Witness | None = None
    """``[settings]`` and ``[run]``: what the logs leave out, such as the arguments of a run of which only the closing
    summary was kept. The weakest of all witnesses: where a log tells the same, the log counts."""
    problems: list[Problem] = field(default_factory=list)
    """What is wrong with the file."""


def read_facts(folder: Folder) -> Facts:
    """Read the file where there is one. Never raises for what it holds."""
    if FILE not in folder:
        return Facts()
    try:
        return _read(folder)
    except OSError as error:
        return Facts(problems=[Problem(FILE, f"cannot be read ({error.strerror or type(error).__name__})")])
    except RecursionError:
        return Facts(problems=[Problem(FILE, "is nested too deeply; its facts and answers are left out")])
    except ValueError as error:
        why = " ".join(str(error).split())[:200]
        hint = "correct the file, or remove it and answer again with `dpo-report ask`"
        return Facts(problems=[Problem(FILE, f"is not valid TOML ({why}); its facts and answers are left out", hint)])


def _read(folder: Folder) -> Facts:
    found = Facts()
    data = folder.read(FILE, MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 20} MiB")
    content = tomllib.loads(data.decode("utf-8-sig"))
    _tables(content, found.problems, FILE)
    if "thresholds" in content and folder.root.resolve() != Path().resolve():
        hint = f"to change rules, set them in {FILE} of the folder that dpo-report is called in"
        found.problems.append(Problem(FILE, "[thresholds] does not count in a run's own file, left out", hint))
    _answers(content, found, FILE)
    found.witness = _witness(content, found.problems)
    return found


def _tables(content: dict[str, Any], problems: list[Problem], file: str) -> None:
    """Leave out what is no table."""
    for section in ("facts", "answers", "settings", "run"):
        if not isinstance(content.get(section, {}), dict):
            problems.append(Problem(file, f"[{section}] is not a table, left out"))
            content[section] = {}


def _answers(content: Mapping[str, Any], found: Facts, file: str) -> None:
    """Add the two tables that an author writes."""
    for name, value in _told(content, "facts", found.problems, file):
        found.facts[name] = Setting(name, value, Source(file, f"facts.{name}"))
    for name, value in _told(content, "answers", found.problems, file):
        found.answers[name] = value if isinstance(value, str) else str(value)


def elsewhere(path: Path) -> Callable[[Run], Run]:
    """What gives runs the ``[answers]`` and ``[facts]`` of a file, which go before those of their own.

    Raises:
        ReportError: there is no such file, or it is not TOML.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise ReportError(f"{path} is larger than {MAX_BYTES >> 20} MiB", "give a file of answers")
        content = tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ReportError(
            f"cannot read the answers in {path}: {why}", "`dpo-report ask RUN --answers FILE` keeps them"
        ) from None
    except (ValueError, RecursionError) as error:
        why = " ".join(str(error).split())[:200]
        raise ReportError(f"{path} is not valid TOML ({why})", "correct it: [answers] and [facts] are read") from None
    found = Facts()
    _tables(content, found.problems, path.name)
    _answers(content, found, path.name)
    other = ", ".join(f"[{name}]" for name in content if name not in ("answers", "facts"))
    if other:
        found.problems.append(
            Problem(path.name, f"{other} left out", "of a file of answers, [answers] and [facts] count")
        )

    def told(run: Run) -> Run:
        facts, answers = {**run.facts, **found.facts}, {**run.answers, **found.answers}
        return replace(run, facts=facts, answers=answers, problems=(*run.problems, *found.problems))

    return told


def _witness(content: Mapping[str, Any], problems: list[Problem]) -> Witness | None:
    """The run as its author tells it; None where the file says nothing of that kind."""
    settings = {
        name: Setting(name, value, Source(FILE, f"settings.{name}"))
        for name, value in _told(content, "settings", problems)
    }
    told: dict[str, Any] = {}
    for name, value in content.get("run", {}).items():
        kinds = _OF_THE_RUN.get(name)
        if kinds is None:
            problems.append(Problem(FILE, f"[run] {name} is not known", f"known here: {', '.join(_OF_THE_RUN)}"))
        elif isinstance(value, bool) or not isinstance(value, kinds) or bounded(value) != value:
            problems.append(Problem(FILE, f"[run] {name} is {value!s:.40}, left out", f"give {_KINDS[kinds]}"))
        elif name == "status" and value not in get_args(RunStatus):
            problems.append(Problem(FILE, f"[run] status {value!r:.40} is not known", ", ".join(get_args(RunStatus))))
        else:
            told[name] = value
    if not settings and not told:
        return None
    why = f"{FILE}, run.method" if "method" in told else ""
    return Witness(TOLD, "", (FILE,), method_why=why, settings=settings, precision=-1, **told)


_KINDS: dict[tuple[type, ...], str] = {(str,): "a text", (int,): "a whole number", (int, float): "a number"}


def _told(
    content: Mapping[str, Any], section: str, problems: list[Problem], file: str = FILE
) -> Iterator[tuple[str, Any]]:
    """The entries of a section by name; of very many the first."""
    for count, (name, value) in enumerate(_flat(content.get(section, {}))):
        if count == MOST:
            problems.append(Problem(file, f"[{section}] holds more than {MOST:,} entries; the rest is left out"))
            return
        yield name, bounded(value)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values of a table and the tables in it; dates as text."""
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and name.count(".") < MAX_DEPTH:
            yield from _flat(value, f"{name}.")
        else:
            yield name, _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | bool | int | float) else str(value)
