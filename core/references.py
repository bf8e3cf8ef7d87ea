"""Bibliography entries as a reference list and as BibTeX."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from dpo_report.core import tex
from dpo_report.core.markdown import anchor
from dpo_report.core.works import Work

_VENUES = ("journal", "booktitle", "publisher", "institution", "school", "howpublished")


@dataclass(frozen=True, slots=True)
class Reference:
    """One entry of a reference list, in pieces that a template puts together."""

    key: str
    """As in :class:`~dpo_report.core.works.Work`."""
    short: str
    """``Razin et al., 2025``"""
    authors: str
    """``Rafael Rafailov, Archit Sharma and Eric Mitchell``; empty where none is known."""
    year: str
    """Empty where it is not known."""
    title: str
    """Without a full stop."""
    venue: str
    """Journal, proceedings or publisher; empty where there is none."""
    detail: str
    """Volume, number and pages."""
    link: str
    """DOI, arXiv or web address, safe to stand in markup; empty where there is none."""

    @property
    def anchor(self) -> str:
        """The entry's place in a page."""
        return anchor(self.key)


def reference(work: Work) -> Reference:
    """The pieces of an entry."""
    told = work.fields
    venue = next((told[name] for name in _VENUES if told.get(name)), "")
    volume = told.get("volume", "") + (f"({told['number']})" if told.get("number") else "")
    pages = told.get("pages", "").replace("--", "–")
    link = ""
    if told.get("doi"):
        link = f"https://doi.org/{told['doi']}"
    elif told.get("eprint"):
        link = f"https://arxiv.org/abs/{told['eprint']}"
    elif told.get("url"):
        link = told["url"]
    return Reference(
        key=work.key,
        short=work.short,
        authors=_people(told.get("author", "")),
        year=told.get("year", ""),
        title=told.get("title", work.key).rstrip("."),
        venue="" if venue.startswith("http") else venue,
        detail=":".join(filter(None, (volume, pages))),
        link=quote(link or (venue if venue.startswith("http") else ""), safe="/:?#=&%+~@,;.-_()"),
    )


def bibtex(works: Iterable[Work]) -> str:
    """A ``.bib`` file. Titles stand in double braces, so that no style changes their capitals."""
    return "\n".join(_entry(work) for work in sorted(works, key=lambda work: work.key))


def _entry(work: Work) -> str:
    fields = []
    for name, text in work.fields.items():
        if name in ("url", "doi", "eprint"):
            value = text  # read by url.sty or a style, not typeset as prose
        elif name == "author":
            value = " and ".join(
                f"{{{tex.escape(who.strip('{}'))}}}" if who.startswith("{") else tex.escape(who)
                for who in text.split(" and ")
            )
        else:
            value = tex.escape(text.replace("--", "–"))
        fields.append(f"  {name} = {{{{{value}}}}}" if name == "title" else f"  {name} = {{{value}}}")
    return f"@{work.kind}{{{anchor(work.key)},\n" + ",\n".join(fields) + "\n}\n"


def _people(author: str) -> str:
    """``Last, First and Last, First`` as ``First Last and First Last``."""
    names = [name.strip() for name in author.split(" and ") if name.strip()]
    more = names[-1:] == ["others"]
    people = [_turned(name) for name in names if name != "others"]
    if more or len(people) > 8:
        return f"{', '.join(people[:8])} et al."
    return " and ".join(filter(None, (", ".join(people[:-1]), people[-1] if people else "")))


def _turned(name: str) -> str:
    if name.startswith("{"):
        return name.strip("{}")
    last, _, first = name.partition(",")
    return f"{first.strip()} {last.strip()}".strip()
