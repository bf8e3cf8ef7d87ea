"""What a run's settings and rows say, in the terms of the rules: batch, pairs, windows, β, versions, resumption.

Metrics, curves and checks all ask here, so that the library versions' semantics are decided in one place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpo_report.core.model import Run, Series, Source

PAIRED = frozenset({"dpo", "orpo", "cpo", "simpo", "reward"})
"""Methods whose dataset row is a pair of responses."""
POLICY_GRADIENT = frozenset({"grpo", "rloo", "ppo"})
"""Methods whose ``loss`` is no measure of progress (rule L4)."""
IMPLICIT_REWARD = frozenset({"dpo", "kto", "online_dpo", "bco"})
"""Methods whose ``rewards/*`` are β times a log-ratio to a reference."""

_SAMPLE = dict.fromkeys(PAIRED, "pair") | {"kto": "completion", "bco": "completion"}
_SAMPLE |= {"grpo": "prompt", "rloo": "prompt", "ppo": "prompt", "online_dpo": "prompt"}


BASE_MODEL = ("base_model", "model_name_or_path", "model._name_or_path")
"""Settings that may name the starting model, the surest first."""


def sample_word(run: Run) -> str:
    """What one dataset row is: a pair, a completion, a prompt, or an example where that is not known."""
    return _SAMPLE.get(run.method or "", "example")


def batch_word(run: Run) -> str:
    """What the trainer counts in a batch: completions for the methods that sample them, dataset rows otherwise."""
    return "completion" if run.method in ("grpo", "rloo") else sample_word(run)


def pair_word(run: Run) -> str:
    """As :func:`sample_word`, in full: ``preference pair``."""
    word = sample_word(run)
    return "preference pair" if word == "pair" else word


def version(run: Run, library: str) -> tuple[int, ...] | None:
    """The numeric parts of a library's version as the run tells it: ``(5, 23, 0)``; None where it does not."""
    told = run.versions.get(library)
    if not told:
        return None
    parts: list[int] = []
    for part in told.split("+")[0].split("."):
        digits = "".join(c for c in part[:9] if c.isascii() and c.isdigit())
        if not digits:
            break
        parts.append(int(digits))
    return tuple(parts) or None


def at_least(run: Run, library: str, *wanted: int) -> bool | None:
    """Whether the run used at least that version; None where the run does not tell."""
    known = version(run, library)
    return None if known is None else known >= wanted


def numeric(value: Any) -> float | None:
    """A setting as a float where it is a number, or a text that is one."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def whole(value: Any) -> int | None:
    """A setting as an integer where it is one."""
    number = numeric(value)
    return int(number) if number is not None and number == int(number) else None


def setting(run: Run, *names: str) -> Any:
    """The first of several settings that the run tells."""
    for name in names:
        if name in run.settings:
            return run.settings[name].value
    return None


def setting_source(run: Run, *names: str) -> tuple[Source, ...]:
    """The sources of those settings that the run tells."""
    return tuple(run.settings[name].source for name in names if name in run.settings)


@dataclass(frozen=True, slots=True)
class Beta:
    """β of the implicit reward."""

    value: float
    assumed: bool
    """True where the run does not tell β and the library's default is taken."""
    sources: tuple[Source, ...]

    @property
    def note(self) -> str:
        """The remark that must stand beside anything computed from an assumed β."""
        return "β = 0.1 assumed, the library's default: the run does not tell it" if self.assumed else ""


def beta(run: Run) -> Beta | None:
    """β as told, or TRL's default 0.1 (marked as assumed) for DPO and KTO runs that do not tell it."""
    told = numeric(setting(run, "beta", "pref_beta"))
    if told is not None and told > 0:
        return Beta(told, False, setting_source(run, "beta", "pref_beta")[:1])
    return Beta(0.1, True, ()) if run.method in ("dpo", "kto") else None


def beta_remark(run: Run) -> str:
    """``, β = 0.1 assumed`` where it is; for the end of a sentence with nats."""
    known = beta(run)
    return f", β = {known.value:g} assumed" if known and known.assumed else ""


def loss_types(run: Run) -> tuple[str, ...]:
    """The loss types of a preference run; empty where the run does not tell."""
    told = setting(run, "loss_type", "pref_loss")
    if isinstance(told, str):
        return (told,)
    if isinstance(told, list | tuple):
        return tuple(str(item) for item in told)
    return ()


def pure_sigmoid(run: Run) -> bool:
    """Whether the DPO loss is −ln σ(z) and nothing else, as far as the run tells (the default where it is silent)."""
    extra = (numeric(setting(run, name)) for name in ("label_smoothing", "rpo_alpha", "router_aux_loss_coef"))
    return (
        run.method == "dpo"
        and loss_types(run) in ((), ("sigmoid",))
        and not any(extra)
        and not setting(run, "use_weighting", "reference_free")
        and setting(run, "f_divergence_type") in (None, "reverse_kl")
    )


def finite(series: Series | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Steps and values of the finite points, each of shape (m,)."""
    if series is None:
        return np.empty(0), np.empty(0)
    keep = np.isfinite(series.values)
    return series.steps[keep], series.values[keep]


def held_out(run: Run, name: str) -> list[Series]:
    """The held-out series of that name: split ``eval`` first, named evaluation sets after it."""
    found = [s for (key, split), s in run.series.items() if key == name and split.split(":")[0] == "eval" and len(s)]
    return sorted(found, key=lambda s: (s.split != "eval", s.split))


def row_steps(run: Run, name: str = "loss") -> NDArray[np.float64]:
    """Steps at which training rows with that key were logged."""
    series = run.get(name)
    return np.empty(0) if series is None else series.steps


def window(run: Run, series: Series, index: int) -> tuple[int, int]:
    """First and last step that a training row averages over: (previous row, this row].

    transformers ``Trainer._maybe_log_save_evaluate``; the first window of a resumed run begins after the resume.
    """
    index = range(len(series))[index]
    end = int(series.steps[index])
    before = int(series.steps[index - 1]) if index else resumed_from(run) or 0
    return min(before + 1, end), end


def window_text(run: Run, series: Series, index: int) -> str:
    """``step 4`` or ``steps 5,801 to 5,900``."""
    first, last = window(run, series, index)
    return f"step {last:,}" if first >= last else f"steps {first:,} to {last:,}"


def total_steps(run: Run) -> int | None:
    """Optimizer steps done: the state's own count, or the last logged step."""
    if run.global_step is not None:
        return run.global_step
    steps = row_steps(run)
    return int(steps[-1]) if len(steps) else None


def planned_epochs(run: Run) -> float | None:
    """The float argument ``num_train_epochs``, unless the run was bounded by ``max_steps``."""
    limit = whole(setting(run, "max_steps"))
    if limit is not None and limit > 0:
        return None
    return numeric(setting(run, "num_train_epochs"))


def resumed_from(run: Run) -> int | None:
    """The step after which this run's summary begins, where the rows show a resumption (rule A4).

    Either the first training row stands later than its logging interval allows, or (transformers 5.21 and newer,
    whose rates count only the steps of the last call) runtime × steps per second falls short of the step count by
    more than rounding can explain.
    """
    total = total_steps(run)
    steps = row_steps(run)
    every = numeric(setting(run, "logging_steps")) or (float(np.median(np.diff(steps))) if len(steps) > 2 else None)
    if len(steps) and every and every >= 1 and steps[0] > every + 0.5:
        return int(steps[0] - every)
    runtime, rate = run.number("train_runtime"), run.number("train_steps_per_second")
    if total and runtime and rate is not None and at_least(run, "transformers", 5, 21) and run.status == "completed":
        most = (runtime + 5e-5) * (rate + 5e-4)
        if most < total - 1:
            return total - round(runtime * rate)
    if total and at_least(run, "transformers", 5, 21) is False:
        return _resume_by_mean(run, total)
    return None


def _resume_by_mean(run: Run, total: int) -> int | None:
    """Up to transformers 5.18: train_loss = Σ(step losses after r) / T. Finds r > 0 where the rows show it."""
    mean, series = run.number("train_loss"), run.get("loss")
    if mean is None or series is None or len(series) < 4 or int(series.steps[-1]) != total or mean == 0:
        return None
    weights = np.diff(series.steps, prepend=0.0)
    parts = weights * series.values
    if not np.isfinite(parts).all() or abs(parts.sum() / total - mean) <= 0.01 * abs(mean):
        return None
    tails = parts[::-1].cumsum()[::-1][1:] / total
    close = np.abs(tails - mean)
    best = int(close.argmin())
    return int(series.steps[best]) if close[best] <= 0.002 * abs(mean) + 1e-4 else None


@dataclass(frozen=True, slots=True)
class Band:
    """Whole numbers that a rounded rate allows."""

    low: int
    high: int
    formula: str
    sources: tuple[Source, ...]

    @property
    def value(self) -> int | None:
        """The number, where only one is possible."""
        return self.low if self.low == self.high else None


def implied_rows(run: Run) -> Band | None:
    """Dataset rows implied by the nominal throughput (rule B3): N = samples/s × runtime / E.

    transformers ``speed_metrics``: the rate is N·E / runtime rounded to three decimals, the runtime to four. Not
    under ``max_steps`` and not for resumed or interrupted runs, whose rates mean something else.
    """
    epochs = planned_epochs(run)
    runtime, rate = run.number("train_runtime"), run.number("train_samples_per_second")
    if not epochs or not runtime or not rate or run.status not in ("completed", "unknown", "diverged"):
        return None
    if run.status != "unknown" and resumed_from(run):
        return None
    low = math.ceil((rate - 5e-4) * (runtime - 5e-5) / epochs - 1e-9)
    high = math.floor((rate + 5e-4) * (runtime + 5e-5) / epochs + 1e-9)
    if high < max(low, 1):
        return None
    sources = tuple(run.summary[key].source for key in ("train_samples_per_second", "train_runtime"))
    formula = f"({rate:g} ± 0.0005) × {runtime:g} / {epochs:g}"
    return Band(max(low, 1), high, formula, sources + setting_source(run, "num_train_epochs"))


def rows_from_steps(run: Run) -> Band | None:
    """Dataset rows implied by updates per epoch: U = ⌈⌈N/(b·D)⌉/A⌉, for one device and whole epochs.

    The band is (b·A·(U−1), b·A·U]; the ceiling over accumulation windows is transformers 4.53 and newer.
    """
    epochs, total, size = planned_epochs(run), total_steps(run), per_device_batch(run)
    if not epochs or not total or not size or run.status != "completed" or total % epochs:
        return None
    if at_least(run, "transformers", 4, 53, 3) is not True or devices(run) != 1:
        return None
    updates = int(total / epochs)
    batch = size * accumulation(run)
    return Band(
        batch * (updates - 1) + 1,
        batch * updates,
        f"{updates:,} updates per epoch × {batch}",
        setting_source(run, "num_train_epochs", "per_device_train_batch_size"),
    )


def dataset_rows(run: Run) -> int | None:
    """Training rows: as told in the run's facts, else the only number that its throughput allows."""
    told = fact(run, "train_pairs", "train_rows")
    if told is not None:
        return whole(told)
    band = implied_rows(run)
    return band.value if band else None


def fact(run: Run, *names: str) -> Any:
    """A fact of ``dpo-report.toml``; nested tables by dotted names."""
    for name in names:
        if name in run.facts:
            return run.facts[name].value
    return None


def implied_eval_rows(run: Run, split: str = "eval") -> Band | None:
    """Held-out rows: eval samples/s × eval runtime, one number that all evaluations allow (as rule B3)."""
    rate, runtime = run.get("samples_per_second", split), run.get("runtime", split)
    if rate is None or runtime is None:
        return None
    low, high = 1, 10**12
    for step, value in zip(rate.steps, rate.values, strict=True):
        at = np.flatnonzero(runtime.steps == step)
        if not len(at):
            continue
        seconds = float(runtime.values[at[0]])
        if not (math.isfinite(seconds) and math.isfinite(value)):
            continue
        low = max(low, math.ceil((value - 5e-4) * (seconds - 5e-5) - 1e-9))
        high = min(high, math.floor((value + 5e-4) * (seconds + 5e-5) + 1e-9))
    if high < low or high >= 10**12:
        return None
    return Band(low, high, "eval samples/s × eval runtime", (rate.source, runtime.source))


def per_device_batch(run: Run) -> int | None:
    """Rows per device and forward pass."""
    return whole(setting(run, "per_device_train_batch_size"))


def accumulation(run: Run) -> int:
    """Micro-batches per optimizer step (1 where the run does not tell)."""
    return whole(setting(run, "gradient_accumulation_steps")) or 1


def devices(run: Run) -> int | None:
    """Data-parallel devices: as told, else from (samples/s ÷ steps/s) ÷ (b·A) where that is close to a whole number.

    The ratio is N·E/T, which equals the effective batch only when N divides evenly; a quarter either way is allowed.
    """
    told = whole(fact(run, "world_size")) or whole(setting(run, "world_size"))
    if told:
        return told
    size = per_device_batch(run)
    rate, steps = run.number("train_samples_per_second"), run.number("train_steps_per_second")
    if not size or not rate or not steps or steps < 0.01:
        return None
    ratio = rate / steps / (size * accumulation(run))
    nearest = max(1, math.ceil(ratio - 0.05))
    return nearest if 0.7 * nearest <= ratio <= 1.1 * nearest else None


def effective_batch(run: Run) -> int | None:
    """Rows per optimizer step: b × A × D (rule B1); None where the batch or the device count is not known."""
    size, count = per_device_batch(run), devices(run)
    return size * accumulation(run) * count if size and count else None


def window_pairs(run: Run, series: Series, index: int) -> int | None:
    """Distinct pairs behind one logged training row at most: B × steps in the window, but never more than N."""
    batch = effective_batch(run)
    if not batch:
        return None
    first, last = window(run, series, index)
    rows = dataset_rows(run)
    return min(batch * (last - first + 1), rows) if rows else batch * (last - first + 1)


def warmup_steps(run: Run) -> int | None:
    """Warm-up steps: the count, or the share of all steps (``warmup_ratio``, and a ``warmup_steps`` below 1 in v5)."""
    total = run.max_steps or total_steps(run)
    steps, ratio = numeric(setting(run, "warmup_steps")), numeric(setting(run, "warmup_ratio"))
    if steps is not None and steps >= 1:
        return int(steps)
    share = steps or ratio
    if share:
        return math.ceil(share * total) if total else None
    return 0 if steps is not None or ratio is not None else None


def untrained_steps(run: Run) -> int:
    """Steps whose loss is taken at the initial parameters: 1, or 2 where warm-up starts from rate 0 (rule D3)."""
    rates = run.get("learning_rate")
    used = at_least(run, "transformers", 4, 53, 3)
    if rates is not None and len(rates) and used and int(rates.steps[0]) == 1:
        return 2 if rates.values[0] == 0 else 1
    return 2 if (warmup_steps(run) or 0) > 0 else 1
