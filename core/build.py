"""The whole way from run directories to a report on disk, and the only writer."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from dpo_report import __version__
from dpo_report.core import export, target
from dpo_report.core.analysis import analyse
from dpo_report.core.dialect import dialect
from dpo_report.core.errors import ReportError
from dpo_report.core.host.watchdog import watched
from dpo_report.core.loader import load
from dpo_report.core.looks import Look, look_of
from dpo_report.core.macros import camel
from dpo_report.core.model import Analysis, Problem, Report, Run
from dpo_report.core.remote import is_url
from dpo_report.core.render import Kit
from dpo_report.core.siblings import with_siblings
from dpo_report.core.standin import filename

if TYPE_CHECKING:
    from jinja2 import Environment

    from dpo_report.core.contract import Format, Section
    from dpo_report.core.drawing.style import Style
    from dpo_report.core.manager import Host

FOLDER = "report"
"""Name of the report's folder inside a run directory."""
_LONGEST = 200
"""Letters of a folder's name; a disk takes 255, and a number may be put behind them."""


def build(
    paths: str | Path | Sequence[str | Path],
    formats: str | Sequence[str] = ("latex",),
    out: str | Path | None = None,
    host: Host | None = None,
    *,
    strict: bool = False,
    template_dirs: Iterable[str | Path] | None = None,
    style: Look | Style | str | None = None,
    options: Mapping[str, str] | None = None,
    in_place: bool = False,
) -> Report:
    """Read runs, find what may be said of them, and write a report of each; as :func:`build_runs`, told as one."""
    reports = build_runs(
        paths,
        formats,
        out,
        host,
        strict=strict,
        template_dirs=template_dirs,
        style=style,
        options=options,
        in_place=in_place,
    )
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
    style: Look | Style | str | None = None,
    options: Mapping[str, str] | None = None,
    in_place: bool = False,
    with_files: Iterable[str | Path] = (),
    seen: Callable[[Run], Run] | None = None,
    beside: Sequence[Run] = (),
) -> tuple[Report, ...]:
    """Read runs, find what may be said of them, and write a report of each.

    Args:
        paths: run directories or single files, here or at URLs.
        formats: names of formats; ``report.json`` is written with any of them.
        out: the folder to write; by default ``report`` inside the run directory. Several runs get a folder each in it.
        host: the plugins; by default those of this process.
        strict: refuse to write a report that has problems.
        template_dirs: the user's template folders, searched before all others.
        style: the measures of the paper that it is for, by name or in full; or how figures look.
        options: what is asked of single formats, ``{"pdf-engine": "latex"}``; as ``section`` the optional sections
            that are wanted, with commas.
        in_place: also merge the formats that can be into the run's own files.
        with_files: files outside a run's folder that belong to the run.
        seen: adds to each run what its files cannot tell, before anything is made of it.
        beside: runs of which reports are made at the same time, by other calls.

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
    for folder in roots:
        if not folder.is_dir():
            raise ReportError(
                f"no such folder of templates: {folder}", "`dpo-report templates --copy NAME DIR` makes one"
            )
    runs = [load(path, host=plugins, with_files=with_files) for path in places]
    runs = with_siblings([seen(run) for run in runs] if seen is not None else runs, beside)
    analyses = [analyse(run, plugins) for run in runs]
    targets = _targets(places, analyses, Path(out) if out is not None else None)
    for folder in targets:
        target.check(folder)  # before anything is drawn
    look = look_of(style)
    shops = [
        _Workshop(plugins, roots, look, options or {}, camel(folder.name) if len(places) > 1 else "")
        for folder in targets
    ]
    made = [shop.make(analysis, chosen) for shop, analysis in zip(shops, analyses, strict=True)]
    own: dict[Path, bytes] = {}
    if in_place:
        for shop, analysis, place in zip(shops, analyses, places, strict=True):
            if is_url(place):
                raise ReportError("--in-place writes into the run, and this one is at a URL", "copy it here first")
            own |= shop.merged(analysis, chosen, _home(place, analysis))
    if strict:
        _refuse_problems(analysis for analysis, _ in made)
    written = dict(zip(targets, (files for _, files in made), strict=True))
    target.write(written, own)
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
        look: Look,
        options: Mapping[str, str],
        prefix: str,
    ) -> None:
        self.host = host
        self.roots = (*template_dirs, *(provided.item for provided in host.templates))
        self.sections = _sections(host, options.get("section", ""))
        self.look = look
        self.options = options
        self.prefix = prefix
        self.problems: list[Problem] = []
        self.drawn: dict[str, bytes] = {}

    def make(self, analysis: Analysis, formats: Sequence[Format]) -> tuple[Analysis, dict[str, bytes]]:
        """Every file by path, and the analysis with what went wrong on the way."""
        files: dict[str, bytes] = {}
        for item in formats:
            kit = self._kit(item, analysis)
            for name, content in _guarded(item, item.convert, kit).items():
                if files.setdefault(name, content) != content:
                    raise ReportError(f"two formats write {name} differently", f"leave out --format {item.name}")
        analysis = _with(analysis, self.problems)
        figures = {
            figure.name: [n for n in sorted(files) if n.rpartition(".")[0] == f"figures/{filename(figure.name)}"]
            for figure in analysis.figures
        }
        files["report.json"] = export.dumps(export.report([analysis], __version__, figures, sorted(files)))
        return analysis, files

    def merged(self, analysis: Analysis, formats: Sequence[Format], home: Path) -> dict[Path, bytes]:
        """The run's own files with the report in them.

        Raises:
            ReportError: no format can be merged, or a file cannot be.
        """
        files: dict[Path, bytes] = {}
        for item in formats:
            if item.merge is not None:
                path = home / (item.main or f"report{item.suffix}")
                files[path] = _guarded(item, item.merge, self._kit(item, analysis), target.content(path))
        if not files:
            able = ", ".join(one.item.name for one in self.host.formats if one.item.merge is not None)
            raise ReportError("--in-place: none of the formats goes into a file of the run", f"such are: {able}")
        return files

    def _kit(self, item: Format, analysis: Analysis) -> Kit:
        def prepare(env: Environment) -> None:
            self.problems += self.host.prepare_environment(env, item.name)

        return Kit(
            analysis,
            __version__,
            dialect(item.base) if item.base else None,
            self.sections,
            tuple(provided.item for provided in self.host.metrics),
            tuple(provided.item for provided in self.host.checks),
            lambda kinds: self._draw(analysis, kinds),
            self.roots,
            prepare,
            self.prefix,
            self.look,
            self.options,
        )

    def _draw(self, analysis: Analysis, kinds: Sequence[str]) -> dict[str, bytes]:
        """Every figure in some kinds, each drawn once, whatever formats ask for it."""
        from dpo_report.core.figures import draw_all

        new = [kind for kind in kinds if not any(name.endswith(f".{kind}") for name in self.drawn)]
        if new:
            self.drawn |= draw_all(analysis.figures, new, self.look.drawing)
        return {name: content for name, content in self.drawn.items() if name.rpartition(".")[2] in kinds}


def _sections(host: Host, asked: str) -> tuple[Section, ...]:
    """Every section of a report in its place, the optional ones only where they are asked for.

    Raises:
        ReportError: no section has that name.
    """
    wanted = set(filter(None, asked.split(",")))
    every = [provided.item for provided in host.sections]
    if unknown := sorted(wanted - {section.name for section in every}):
        able = [section.name for section in every if section.optional]
        near = next((name for name in able if unknown[0].lower() in name), "")
        listed = f"to be asked for are: {', '.join(able) or 'none'}"
        raise ReportError(f"no section {unknown[0]}", f"did you mean {near}?" if near else listed)
    chosen = (section for section in every if not section.optional or section.name in wanted)
    return tuple(sorted(chosen, key=lambda s: (s.appendix, s.order, s.name)))


P = ParamSpec("P")
T = TypeVar("T")


def _guarded(item: Format, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a part of a format; what it raises names it."""
    try:
        with watched(f"format {item.name}"):
            return function(*args, **kwargs)
    except ReportError:
        raise
    except Exception as error:
        raise ReportError(f"format {item.name} failed: {type(error).__name__}: {error}") from error


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
        real = Path(os.path.realpath(folder))  # which a circle of links does not stop
        if any(home.resolve().is_relative_to(real) for home in homes):
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
    """Folder names: letters, digits, dots and dashes, each only once and no longer than a disk takes.

    >>> unique(["a b", "a b", "..", "a-b-2"])
    ['a-b', 'a-b-3', 'run', 'a-b-2']
    """
    plain = [re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:_LONGEST] or "run" for name in names]
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
