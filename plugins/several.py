"""Runs that are reported together: which differ in their seed only, and which in what else."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dpo_report.core import numbers
from dpo_report.core.contract import NotApplicable
from dpo_report.core.model import Run, Series
from dpo_report.core.text import Code, Text, listing, say
from dpo_report.plugins.metrics.policy import REWARD_KEYS
from dpo_report.plugins.reading import BASE_MODEL, POLICY_GRADIENT, fact, finite, setting

SEEDS = ("seed", "data_seed")
"""Settings in which repetitions differ."""
NAMES = (
    "output_dir", "logging_dir", "run_name", "project", "trackio_space_id", "hub_model_id", "report_to",
    "disable_tqdm", "save_steps", "save_strategy", "save_total_limit", "dataloader_num_workers", "_name_or_path",
)  # fmt: skip
"""Settings that name a run or its log, and change nothing in what it learns."""
_ASIDE = frozenset(SEEDS + NAMES)
OUTCOMES = (
    ("rewards/accuracies", "eval", "held-out accuracy"),
    ("loss", "eval", "held-out loss"),
    ("loss", "train", "loss of the last logged row"),
)
"""What runs are compared by, the most telling first: series, split, words."""
SCALE = ("loss_type", "beta", "label_smoothing", "simpo_gamma", "loss_weights", "use_weighting")
"""Settings that set the scale of a preference loss (rule C9)."""
MODELS = (*BASE_MODEL, "base_model_revision")
"""Settings that tell starting models apart."""
DATA = ("data.train_sha256", "data.train_file", "data_source", "train_pairs")
"""Facts that tell training sets apart."""


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that differ in their seed only, one for each seed."""

    runs: tuple[Run, ...]
    reported: Run
    """The run whose report speaks of the group."""

    @property
    def differs(self) -> dict[str, tuple[Any, Any]]:
        """What tells it from the run that is reported: by name, the value here and there."""
        return differences(self.reported, self.runs[0])

    @property
    def seeds(self) -> list[Any]:
        """The seed of each run."""
        return [setting(run, "seed") for run in self.runs]


def recipes(run: Run) -> list[Group]:
    """The groups of a run that is reported with others, its own first.

    Raises:
        NotApplicable: it is reported alone.
    """
    if not run.siblings:
        raise NotApplicable("no other run of this method is reported with this one")
    return groups(run)


def groups(run: Run) -> list[Group]:
    """The run's own repetitions, itself first, then every other recipe among its siblings.

    A run without a known seed, and a second run with the same recipe and seed, add nothing and are left out.
    """
    return _groups(_Same(run))


class _Same:
    """A run as a key: it equals nothing but itself."""

    __slots__ = ("run",)

    def __init__(self, run: Run) -> None:
        self.run = run

    def __hash__(self) -> int:
        return id(self.run)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.run is other.run


@lru_cache(maxsize=1)
def _groups(key: _Same) -> list[Group]:
    """Kept, for a dozen rules ask in turn and there may be a thousand siblings."""
    run = key.run
    made: list[list[Run]] = []
    alike: dict[Hashable, list[list[Run]]] = {}
    for one in (run, *run.siblings):
        near = alike.setdefault(_plain_settings(one), [])
        home = next((group for group in near if not differences(group[0], one)), None)
        if home is None:
            made.append([one])
            near.append(made[-1])
        elif setting(one, "seed") not in {None, *(setting(other, "seed") for other in home)}:
            home.append(one)
    return [Group(tuple(group), run) for group in made]


def _plain_settings(run: Run) -> Hashable:
    """What runs without differences share and can be looked up by, so that a thousand siblings are sorted quickly."""
    named = ((name, known.value) for name, known in run.settings.items() if name not in _ASIDE)
    return run.global_step, frozenset(pair for pair in named if isinstance(pair[1], str | int | float))


def differences(one: Run, other: Run) -> dict[str, tuple[Any, Any]]:
    """What two runs do not share beside seeds and names: settings, steps, library versions, what is told of data."""
    left = (one.settings.keys() | other.settings.keys()) - _ASIDE
    found = {name: (setting(one, name), setting(other, name)) for name in sorted(left)}
    found |= {name: (fact(one, name), fact(other, name)) for name in DATA}
    found |= {name: (one.versions[name], other.versions[name]) for name in one.versions.keys() & other.versions.keys()}
    found["steps"] = one.global_step, other.global_step
    return {name: pair for name, pair in found.items() if pair[0] != pair[1]}


def outcomes(runs: tuple[Run, ...], *, scale: bool = True) -> tuple[str, str, list[float]] | None:
    """What all of these runs logged last: its words, its kind, and the value of each run; None where nothing is shared.

    Losses count only where ``scale`` says that they have one, and never where the loss is no measure of progress.
    """
    losses = scale and runs[0].method not in POLICY_GRADIENT
    choices = [one for one in OUTCOMES if losses or one[0] != "loss"]
    if runs[0].method in POLICY_GRADIENT:
        choices = [(key, split, words) for split, words in (("eval", "held-out reward"), ("train", "training reward"))
                   for key in REWARD_KEYS]  # fmt: skip
    for key, split, words in choices:
        last = [_last(run.get(key, split)) for run in runs]
        told = [value for value in last if value is not None]
        if len(told) == len(runs):
            return words, "loss" if key == "loss" else "number", told
    return None


def form(kind: str, value: float) -> str:
    """A value of :func:`outcomes` for a sentence."""
    return numbers.loss(value) if kind == "loss" else numbers.number(value)


def named(group: Group, most: int = 3) -> Text:
    """What another recipe has that this one has not."""
    parts: list[Text | str] = [
        say("{name} {there} (here {here})", name=Code(name), there=numbers.setting(there), here=numbers.setting(here))
        for name, (here, there) in list(group.differs.items())[:most]
    ]
    more = len(group.differs) - most
    return listing([*parts, numbers.plural(more, "more difference")] if more > 0 else parts)


def _last(series: Series | None) -> float | None:
    """The last value; None where there is none or it is not finite."""
    if series is None or not len(series):
        return None
    _, values = finite(series)
    return float(values[-1]) if len(values) and values[-1] == series.values[-1] else None
