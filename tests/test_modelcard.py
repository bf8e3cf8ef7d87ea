"""Model cards: metadata that a hub's loader reads, and a merge that keeps to the letter what the author wrote."""

import re
import shutil
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import given
from hypothesis import strategies as st

import made
from dpo_report.core.build import build
from dpo_report.core.cli import main
from dpo_report.core.dialect import DIALECTS
from dpo_report.core.errors import ReportError
from dpo_report.core.render import Kit
from dpo_report.plugins.formats.modelcard.merging import merged, whole
from dpo_report.plugins.formats.modelcard.metadata import metadata
from typeset import HOSTILE, hostile_run

RUNS = Path(__file__).parent / "runs"
OURS = {"tags": ["dpo", "dpo-report"], "model_name": "run", "model-index": [{"name": "run", "results": []}]}
AUTHOR = """---
# my own comment
license: mit   # chosen with care
tags:
- mine
- "and: this"
widget:
  - text: |
      Two
      lines
---

# My model

Written by *me*.  \n\tOdd   spacing stays.
"""


@pytest.fixture
def run(tmp_path):
    return Path(shutil.copytree(RUNS / "dpo-eval", tmp_path / "run"))


def front(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_a_hub_reads_it(tmp_path):
    path = build(RUNS / "dpo-eval", ["modelcard"], tmp_path / "out").directory / "README.md"
    card = ModelCard.load(path)
    assert card.data.library_name == "transformers"
    assert {"dpo", "trl"} <= set(card.data.tags)
    results = {one.metric_name: one for one in card.data.eval_results}
    told = next(one for name, one in results.items() if name.startswith("held-out accuracy, last"))
    assert told.task_type == "text-generation" and told.metric_type == "accuracy" and 0 <= told.metric_value <= 1
    assert not [name for name in results if re.search("first|lowest|best", name)]
    for heading in ("## Training", "## Results", "## What it shows, and its limits", "## References"):
        assert f"\n{heading}\n" in card.text


def test_it_is_merged_in_place_and_again_without_a_trace(run):
    (run / "README.md").write_text(AUTHOR, encoding="utf-8")
    assert main(["build", str(run), "-f", "modelcard", "--in-place", "-q"]) == 0
    once = (run / "README.md").read_text(encoding="utf-8")
    before, comment, _ = once.partition("<!-- dpo-report begins")
    head, body = AUTHOR.split("---\n\n", 1)
    assert before.startswith(head) and before.removesuffix("\n").endswith(body) and comment
    card = ModelCard.load(run / "README.md")
    assert card.data.license == "mit" and card.data.tags == ["mine", "and: this"]
    assert card.data.eval_results and card.data.library_name == "transformers"
    assert len(re.findall(r"^# ", card.text, re.MULTILINE)) == 1
    assert main(["build", str(run), "-f", "modelcard", "--in-place", "-q"]) == 0
    assert (run / "README.md").read_text(encoding="utf-8") == once
    assert (run / "report" / "README.md").is_file()


def test_without_a_card_of_its_own_the_run_gets_one(run):
    (run / "README.md").unlink(missing_ok=True)
    build(run, ["modelcard"], in_place=True)
    assert ModelCard.load(run / "README.md").data.model_name == "run"


@given(
    st.text("abc \n#-*<>\t", max_size=80),
    st.sampled_from(["", "---\n---\n", AUTHOR.split("# My")[0], "\ufeff---\nlicense: mit\n---\n", "---\nno end\n"]),
    st.booleans(),
)
def test_what_the_author_wrote_stays_to_the_letter(text, head, windows):
    standing = (head + text).replace("\n", "\r\n") if windows else head + text
    once = merged(standing.encode(), OURS, "## Body")
    twice = merged(once, OURS | {"license": "apache-2.0"}, "## Other body")
    assert merged(twice, OURS, "## Body") == once
    told = once.decode().removeprefix("\ufeff")
    kept = re.sub(r"<!-- dpo-report begins.*?dpo-report ends -->", "", told, flags=re.DOTALL)
    lines = iter(re.split(r"\r?\n", kept))
    assert all(line in lines for line in re.split(r"\r?\n", standing.removeprefix("\ufeff")) if line.strip())
    assert yaml.safe_load(re.split(r"---\r?\n", told)[1])["model_name"] == "run"


def test_the_authors_keys_win_and_ours_are_renewed():
    first = merged(b"---\ntags: [mine]\n---\ntext\n", OURS, "one").decode()
    assert front(first)["tags"] == ["mine"]
    changed = first.replace("model_name: run\n", "")
    again = merged(changed.encode(), {**OURS, "model_name": "other"}, "two").decode()
    assert front(again)["model_name"] == "other" and "one" not in again


@pytest.mark.parametrize(
    ("standing", "said"),
    [
        (b"\xff\xfe", "byte 0 is no UTF-8"),
        (b"---\na: [1\nb: }\n---\n", "line 3: the metadata are no YAML"),
        (b"---\n- a\n---\n", "no list of keys"),
        (b"text <!-- dpo-report ends -->", "one of the two comments"),
        (b"<!-- dpo-report begins; x metadata: a -->\n", "one of the two comments"),
    ],
)
def test_what_cannot_be_merged_is_one_line_and_nothing_is_written(run, standing, said, capsys):
    (run / "README.md").write_bytes(standing)
    assert main(["build", str(run), "-f", "modelcard", "--in-place", "-q"]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert said in lines[0] and len(lines) <= 2
    assert (run / "README.md").read_bytes() == standing
    assert not (run / "report").exists()


def test_a_link_is_not_followed(run, tmp_path):
    mine = tmp_path / "mine.md"
    mine.write_text("mine")
    (run / "README.md").unlink(missing_ok=True)
    (run / "README.md").symlink_to(mine)
    with pytest.raises(ReportError, match="no plain file"):
        build(run, ["modelcard"], in_place=True)
    assert mine.read_text() == "mine"


def test_in_place_needs_a_format_that_can(run):
    with pytest.raises(ReportError, match="--in-place: none of the formats"):
        build(run, ["json"], in_place=True)


def test_what_the_author_tells_is_only_what_the_author_told(run):
    (run / "dpo-report.toml").write_text('[answers]\nuse = "nothing but this test"\n', encoding="utf-8")
    build(run, ["modelcard"])
    card = (run / "report" / "README.md").read_text(encoding="utf-8")
    told = card.split("## What the author tells")[1].split("\n## ")[0]
    assert [line for line in told.splitlines() if line] == [told.strip()]
    assert told.strip().endswith("nothing but this test")


def test_a_failure_puts_the_old_card_back(run, monkeypatch):
    from dpo_report.core import target

    (run / "README.md").write_text(AUTHOR, encoding="utf-8")
    build(run, ["json"])
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    swap = target._swap_file

    def failing(*args):
        swap(*args)
        assert (run / "README.md").read_text(encoding="utf-8") != AUTHOR
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(target, "_swap_file", failing)
    with pytest.raises(ReportError, match="No space left"):
        build(run, ["modelcard"], in_place=True)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_only_what_a_hub_knows_becomes_metadata():
    def told(**settings):
        return metadata(Kit(made.analysis(made.run(loss=[0.6, 0.5], settings=settings)), "1", DIALECTS["markdown"]))

    assert told(base_model="org/model-1.5B", dataset_name="org/pairs")["base_model"] == "org/model-1.5B"
    assert told(base_model="org/model", dataset_name="org/pairs")["datasets"] == ["org/pairs"]
    for path in ("/home/ada/model", "../up", "a/b/c", "C:\\x", "model: evil", "a/..b"):
        assert "base_model" not in told(base_model=path)


def test_a_hostile_run_gives_valid_metadata(tmp_path):
    path = build(hostile_run(tmp_path), ["modelcard"], tmp_path / "out").directory / "README.md"
    assert ModelCard.load(path).data.model_name.startswith("run_50% #1")
    for text in HOSTILE:
        assert yaml.safe_load(whole({"model_name": text.replace("\x00", "")}, "x").decode().split("---\n")[1])
