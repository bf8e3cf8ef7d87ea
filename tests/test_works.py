"""Every work that the built-in plugins cite is in the bibliography, and every entry can be printed."""

import json
import re
from pathlib import Path

import pytest

import dpo_report.plugins
from dpo_report.core.works import Work
from dpo_report.plugins.works import register_works

PLUGINS = Path(dpo_report.plugins.__file__).parent
WORKS = {work.key: work for work in register_works()}
CITED = re.compile(r"\[(@[\w-]+(?:;\s*@[\w-]+)*)\]")


def cited() -> dict[str, str]:
    """Keys cited in sentences of the plugins, with the file that cites them."""
    return {
        key.strip().lstrip("@"): path.name
        for path in sorted(PLUGINS.rglob("*.py"))
        for group in CITED.findall(path.read_text(encoding="utf-8"))
        for key in group.split(";")
    }


def test_every_cited_key_has_its_work() -> None:
    keys = cited()
    assert keys, "the pattern finds no citation at all"
    assert {key: where for key, where in keys.items() if key not in WORKS} == {}


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_an_entry_can_be_found_by_its_reader(work: Work) -> None:
    assert work.kind in ("inproceedings", "article", "misc", "book", "techreport")
    assert work.fields["title"].strip()
    assert work.fields.get("year") or work.fields.get("url")
    if work.kind == "misc":
        assert {"eprint", "url"} & set(work.fields), "neither an identifier nor an address"
    assert "note" not in work.fields
    assert work.short
    for name, text in work.fields.items():
        assert "\\" not in text
        assert "CHECK" not in text
        if name != "author":
            assert not re.search(r"[{}~$]|--|``|''", text)


@pytest.mark.parametrize("work", [w for w in WORKS.values() if "author" in w.fields], ids=lambda w: w.key)
def test_authors_are_family_name_first(work: Work) -> None:
    for name in work.fields["author"].split(" and "):
        assert name == "others" or re.fullmatch(r"\{.+\}|[^,{}]+, [^,{}]+", name), name
    assert work.authors


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_identifiers_have_their_form(work: Work) -> None:
    if "eprint" in work.fields:
        assert re.fullmatch(r"\d{4}\.\d{4,5}", work.fields["eprint"])
        assert work.fields["archiveprefix"] == "arXiv"
    if "url" in work.fields:
        assert re.fullmatch(r"https://\S+", work.fields["url"])
    if "year" in work.fields:
        assert re.fullmatch(r"(19|20)\d\d", work.fields["year"])


def test_no_work_stands_twice() -> None:
    for name in ("title", "eprint", "doi", "url"):
        values = [work.fields[name].lower() for work in WORKS.values() if name in work.fields]
        assert len(values) == len(set(values))


def test_the_file_is_sorted() -> None:
    text = (PLUGINS / "works" / "works.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def test_names_in_sentences() -> None:
    assert WORKS["razin2025"].short == "Razin et al., 2025"
    assert WORKS["ji2024exo"].short == "Ji et al., 2024"
    assert WORKS["miller2024"].short == "Miller, 2024"
    assert WORKS["lipton2019"].short == "Lipton and Steinhardt, 2019"
    assert WORKS["neurips_checklist"].short == "NeurIPS"
    assert WORKS["ji2024exo"].unverified
    assert not WORKS["rafailov2023dpo"].unverified
