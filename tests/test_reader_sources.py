"""Every point leads back: the line that a source names holds the number that the series holds."""

import math
import re

import pytest

from dpo_report.core.analysis import analyse
from dpo_report.core.loader import load
from dpo_report.core.model import Series
from dpo_report.plugins.readers.families import READERS
from witnesses import FORMATS, read

LINE = re.compile(r"(?:^| )line (\d+)")
NUMBER = re.compile(r"[-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?")
IN_LINES = (
    *(
        "llamafactory",
        "ms_swift",
        "dvclive",
        "lightning",
        "sentence_transformers",
        "stable_baselines3",
        "fastai",
        "flair",
    ),
    *("ultralytics", "simpletransformers", "spacy", "detectron2", "verl", "nanogpt", "torchtune", "verl_console"),
    *("openrlhf", "fairseq", "paddle", "boosting_console", "general"),
)


def stands(series: Series, home: str, place: int) -> bool:
    source = series.source_at(place)
    match = LINE.search(source.where)
    if match is None or source.file.endswith(".zip"):
        return True
    text = (FORMATS / home / source.file).read_bytes().decode().split("\n")[int(match.group(1)) - 1]
    if math.isnan(series.values[place]):
        return "nan" in text
    numbers = [
        float(number.replace(",", "."))
        for cell in re.split(r"[;\s{}:]|, |,(?=\")", text)
        for number in NUMBER.findall(cell)
    ]
    numbers += [float(number) for number in NUMBER.findall(text.replace(",", " "))]
    return float(series.values[place]) in numbers


@pytest.mark.parametrize("reader", IN_LINES)
def test_every_point_stands_where_its_source_says(reader: str) -> None:
    checked = 0
    for family in sorted(path.name for path in FORMATS.iterdir() if path.is_dir()):
        if reader == "general" and family != "general":
            continue
        for witness in read(reader, family):
            home = f"{family}/{witness.folder}"
            for series in witness.series:
                for place in range(len(series)):
                    assert stands(series, home, place), (home, series.name, series.source_at(place))
                    checked += LINE.search(series.source_at(place).where) is not None
    assert checked > 0


def test_names_of_readers_are_unique() -> None:
    names = [reader.name for reader in READERS]
    assert len(set(names)) == len(names)


def test_counts_name_the_row_that_they_stand_in() -> None:
    """The state's own members where there is one, else the last logged row: never a word that no file holds."""
    told = {}
    for path in (FORMATS.parent / "runs" / "dpo-killed", FORMATS / "lightning" / "csv" / "version_0"):
        values = analyse(load(path)).values
        told[path.name] = {name: str(values[name].sources[0]) for name in ("steps.done", "epochs.done")}
    assert told == {
        "dpo-killed": {
            "steps.done": "checkpoint-8/trainer_state.json: global_step",
            "epochs.done": "checkpoint-8/trainer_state.json: epoch",
        },
        "version_0": {
            "steps.done": "metrics.csv: line 11, column epoch",
            "epochs.done": "metrics.csv: line 11, column epoch",
        },
    }
