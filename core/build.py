"""The whole way from run directories to a report on disk, and the only writer."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from dpo_report import __version__
from dpo_report.core import export, target
from dpo_report.core.analysis import analyse
from dpo_report.core.dialect import dialect
from dpo_report.core.errors import ReportError
from dpo_report.core.host.watchdog import watched
from dpo_report.core.loader import load
from dpo_report.core.macros import camel
from dpo_report.core.model import Analysis, Problem, Report
from dpo_report.core.remote import is_url
from dpo_report.core.render import Drawer, Kit
from dpo_report.core.standin import filename

if TYPE_CHECKING:
    from jinja2 import Environment

    from dpo_report.core.contract import Format
    from dpo_report.core.drawing.style import Style
    from dpo_report.core.manager import Host

FOLDER = "report"
"""Name of the report's folder inside a run directory."""


def build(
    paths: str | Path | Sequence[str | Path],
    formats: str | Sequence[str] = ("latex",),
    out: str | Path | None = None,
    host: Host | None = None,
    *,
    strict: bool = False,
    template_dirs: Iterable[str | Path] | None = None,
    style: Style | None = None,
) -> Report:
    """Read runs, find what may be said of them, and write a report of each; as :func:`build_runs`, told as one."""
    reports = build_runs(paths, formats, out, host, strict=strict, template_dirs=template_dirs, style=style)
    if len(reports) == 1:
        return reports[0]
    return Report(
        tuple(analysis for report in reports for analysis in report.analyses),
        Path(os.path.commonpath([report.directory.absolute() for report in reports])),
        tuple(file for report in reports for file in report.files),
    )


def build_runs(
    paths: str | Path | Sequence[str | Path],
    formats: str | Sequence[str] = ("latex",),
    out: str | Path | None = None,
    host: Host | None = None,
    *,
    strict: bool = False,
    template_dirs: Iterable[str | Path] | None = None,
    style: Style | None = None,
    with_files: Iterable[str | Path] = (),
) -> tuple[Report, ...]:
    """Read runs, find what may be said of them, and write a report of each.

    Args:
        paths: run directories or single files, here or at URLs.
        formats: names of formats; ``report.json`` is written with any of them.
        out: the folder to write; by default ``report`` inside the run directory. Several runs get a folder each in it.
        host: the plugins; by default those of this process.
        strict: refuse to write a report that has problems.
        template_dirs: the user's template folders, searched before all others.
        style: how figures look.
        with_files: files outside a run's folder that belong to the run.

    Raises:
        ReportError: a path holds no run, a format or template is wrong, or a folder cannot be written. Then nothing
            is written, and old reports stand as they were.
    """
    if host is None:
        from dpo_report.core.manager import default_host

        host = default_host()
    plugins = host
    chosen = [plugins.format(name).item for name in dict.fromkeys([formats] if isinstance(formats, str) else formats)]
    places = [paths] if isinstance(paths, str | Path) else list(paths)
    roots = tuple(Path(folder) for folder in template_dirs or ())
    analyses = [analyse(load(path, host=plugins, with_files=with_files), plugins) for path in places]
    targets = _targets(places, analyses, Path(out) if out is not None else None)
    for folder in targets:
        target.check(folder)  # before anything is drawn
    made = [
        _Workshop(plugins, roots, style, camel(folder.name) if len(places) > 1 else "").make(analysis, chosen)
        for folder, analysis in zip(targets, analyses, strict=True)
    ]
    if strict:
        _refuse_problems(analysis for analysis, _ in made)
    written = dict(zip(targets, (files for _, files in made), strict=True))
    target.write(written)
    return tuple(
        _told(plugins, Report((analysis,), folder, tuple(folder / name for name in sorted(written[folder]))))
        for folder, (analysis, _) in zip(targets, made, strict=True)
    )


def _told(host: Host, report: Report) -> Report:
    """Tell the plugins; what goes wrong there is added to the report's problems, on disk it stands as written."""
    late = host.report_built(report)
    return replace(report, analyses=tuple(_with(analysis, late) for analysis in report.analyses))


def _refuse_problems(analyses: Iterable[Analysis]) -> None:
    problems = [problem for analysis in analyses for problem in analysis.problems]
    if problems:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ReportError(f"{first.where}: {first.message}{more}; with --strict nothing was written", first.hint)


class _Workshop:
    """Makes the files of one report."""

    def __init__(
        self,
        host: Host,
        template_dirs: tuple[Path, ...],
        style: Style | None,
        prefix: str,
    ) -> None:
        self.host = host
        self.roots = (*template_dirs, *(provided.item for provided in host.templates))
        self.sections = tuple(
            sorted((provided.item for provided in host.sections), key=lambda s: (s.appendix, s.order, s.name))
        )
        self.style = style
        self.prefix = prefix
        self.problems: list[Problem] = []

    def make(self, analysis: Analysis, formats: Sequence[Format]) -> tuple[Analysis, dict[str, bytes]]:
        """Every file by path, and the analysis with what went wrong on the way."""
        draw = self._drawer(analysis)
        files: dict[str, bytes] = {}
        for item in formats:
            for name, content in self._convert(item, analysis, draw).items():
                if files.setdefault(name, content) != content:
                    raise ReportError(f"two formats write {name} differently", f"leave out --format {item.name}")
        analysis = _with(analysis, self.problems)
        figures = {
            figure.name: [n for n in sorted(files) if n.rpartition(".")[0] == f"figures/{filename(figure.name)}"]
            for figure in analysis.figures
        }
        files["report.json"] = export.dumps(export.report([analysis], __version__, figures))
        return analysis, files

    def _convert(self, item: Format, analysis: Analysis, draw: Drawer) -> Mapping[str, bytes]:
        def prepare(env: Environment) -> None:
            self.problems += self.host.prepare_environment(env, item.name)

        kit = Kit(
            analysis,
            __version__,
            dialect(item.base) if item.base else None,
            self.sections,
            tuple(provided.item for provided in self.host.metrics),
            tuple(provided.item for provided in self.host.checks),
            draw,
            self.roots,
            prepare,
            self.prefix,
        )
        try:
            with watched(f"format {item.name}"):
                return item.convert(kit)
        except ReportError:
            raise
        except Exception as error:
            raise ReportError(f"format {item.name} failed: {type(error).__name__}: {error}") from error

    def _drawer(self, analysis: Analysis) -> Drawer:
        from dpo_report.core.figures import draw_all

        @cache
        def drawn(kinds: tuple[str, ...]) -> dict[str, bytes]:
            return draw_all(analysis.figures, kinds, self.style)

        return lambda kinds: drawn(tuple(kinds))


def _targets(paths: Sequence[Path | str], analyses: Sequence[Analysis], out: Path | None) -> list[Path]:
    """One folder for each run: ``out`` itself, a folder in it, or ``report`` in the run directory.

    Raises:
        ReportError: there is no run, a report would take the place of a run, or the run is far away.
    """
    if not paths:
        raise ReportError("no run was given", "give the output directory of a training run")
    homes = [_home(path, analysis) for path, analysis in zip(paths, analyses, strict=True)]
    if out is not None:
        names = unique(analysis.run.name for analysis in analyses)
        targets = [out] if len(paths) == 1 else [out / name for name in names]
    elif any(is_url(path) for path in paths):
        raise ReportError("a report of a run at a URL needs a folder here", "give one with -o")
    else:
        targets = [home / _folder(Path(path)) for home, path in zip(homes, paths, strict=True)]
    for folder in targets:
        if any(home.resolve().is_relative_to(folder.resolve()) for home in homes):
            raise ReportError(f"{folder} holds the run itself", "give another folder with -o")
    if len(set(targets)) < len(targets):
        raise ReportError("two of the runs would be reported in one folder", "name each run once, or give -o")
    return targets


def _home(path: Path | str, analysis: Analysis) -> Path:
    """The folder that was given; that of the file; or that of the run which a name behind a folder chose."""
    place = Path(path)
    if is_url(path) or not place.exists():
        return analysis.run.directory
    return place.parent if place.is_file() else place


def _folder(path: Path) -> str:
    """Name of the report's folder in the run's; several runs in one folder get one each."""
    return FOLDER if path.exists() else f"{FOLDER}-{path.name}"


def unique(names: Iterable[str]) -> list[str]:
    """Folder names: letters, digits, dots and dashes, each only once.

    >>> unique(["a b", "a b", "..", "a-b-2"])
    ['a-b', 'a-b-3', 'run', 'a-b-2']
    """
    plain = [re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "run" for name in names]
    taken: set[str] = set()
    unique = []
    for name in plain:
        number, given = 1, name
        while given.lower() in taken or (number > 1 and given in plain):
            number += 1
            given = f"{name}-{number}"
        taken.add(given.lower())
        unique.append(given)
    return unique


def _with(analysis: Analysis, problems: Iterable[Problem]) -> Analysis:
    return replace(analysis, problems=tuple(dict.fromkeys((*analysis.problems, *problems))))
