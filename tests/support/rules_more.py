"""Cases of the rules that need what the author tells, an evaluation, or several runs."""

from __future__ import annotations

import numpy as np

import made
from dpo_report.core.model import Run
from dpo_report.core.siblings import with_siblings
from rules import BASE, FACTS, Case, big, evaluated

TIMED = {"train_runtime": 100.0, "train_samples_per_second": 2.4, "train_steps_per_second": 0.6}
WINS = {"win_rate.wins": 70, "win_rate.n": 100}
JUDGED = WINS | {
    "win_rate.judge": "some-judge",
    "win_rate.judge_version": "of May",
    "win_rate.ties": "half",
    "win_rate.positions_swapped": True,
    "win_rate.length_controlled": "by regression",
    "win_rate.baseline_decoding": "greedy",
}


def told(**facts: object) -> Run:
    return big(facts=FACTS | facts)


def judged(**changes: object) -> Run:
    return big(facts=FACTS | JUDGED | {f"win_rate.{name}": value for name, value in changes.items()})


def scored(**values: float | str) -> Run:
    """A run that was evaluated on 40 held-out pairs; keys with __ for dots."""
    found: dict[str, float | str] = {
        "data.file": "held.jsonl",
        "pairs": 40,
        "data.pairs_in_train": 0,
        "data.cut": 0,
        **{name.replace("__", "."): value for name, value in values.items()},
    }
    return big(summary={f"evaluation/held/{key}": value for key, value in found.items()})


def rate(key: str, k: int, n: int, low: float, high: float, p: float = 0.001) -> dict[str, float | str]:
    parts = {"k": k, "n": n, "value": k / n, "low": low, "high": high, "p": p}
    return {f"values__{key}__{part}": number for part, number in parts.items()}


def seeds(values: list[float], others: list[float] = [], first: int = 1, other: int = 1, **differs: object) -> Run:  # noqa: B006
    """A run with others of its recipe, and with those of another recipe; each ends with a held-out accuracy."""
    here = [evaluated([0.6], [x], settings=BASE | {"seed": first + i}) for i, x in enumerate(values)]
    there = [evaluated([0.6], [x], settings=BASE | differs | {"seed": other + i}) for i, x in enumerate(others)]
    return with_siblings([*here, *there])[0]


def tasks(scores: list[list[float]]) -> Run:
    runs = []
    for seed, row in enumerate(scores):
        held = [made.series("rewards/accuracies", [x], f"eval:{n}", steps=[60]) for n, x in enumerate(row)]
        runs.append(big(settings=BASE | {"seed": seed}, rows=held))
    return with_siblings(runs)[0]


def traced(**values: float | str) -> Run:
    return big(summary={f"emissions/{name}": value for name, value in values.items()})


def counted(**facts: object) -> Run:
    """A run of known size, tokens and time: a GPT-2 of 124.4 million parameters, 10⁵ tokens, 100 s."""
    size = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "vocab_size": 50257, "n_positions": 1024}
    tokens = [made.series("num_tokens", [100_000.0], steps=[60])]
    known = BASE | {f"model.{name}": value for name, value in size.items()}
    return big(facts=FACTS | facts, rows=tokens, summary=TIMED, settings=known)


def sampled(rewards: list[float], **changes: object) -> Run:
    return big(method="grpo", reward=rewards, **changes)


def timed(seconds: list[float], *changes: dict[str, object], **told: object) -> Run:
    """Runs that took so long, each with its changes of settings (``model.n_layer``) and facts (``train_pairs``)."""
    runs = []
    size = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "vocab_size": 50257, "n_positions": 1024}
    known = BASE | {f"model.{name}": value for name, value in size.items()}
    for number, (time, changed) in enumerate(zip(seconds, changes, strict=True)):
        facts = FACTS | {"hardware": "one H100", "world_size": 1} | told
        facts |= {name: value for name, value in changed.items() if name in (*facts, "data.train_file")}
        own = {name: value for name, value in changed.items() if name not in (*facts, "steps")}
        steps = changed.get("steps", int(str(facts["train_pairs"])) // 4)
        runs.append(made.run(settings=known | own | {"seed": number}, facts=facts, steps=int(str(steps)),
                             summary={"train_runtime": time}))  # fmt: skip
    return with_siblings(runs)[0]


def grown(*pairs: int, seconds: float = 0.5, power: float = 1.0, **told: object) -> Run:
    """Runs on so many pairs each, whose time grew with them, give or take a per cent."""
    times = [seconds * n**power * (1 + 0.01 * (-1) ** i) for i, n in enumerate(pairs)]
    return timed(times, *({"train_pairs": n, "data.train_file": f"{n}.jsonl"} for n in pairs), **told)


def deeper(*also: str) -> Run:
    """Runs of a model with 12, 24 and 48 layers, which ``also`` differ in the settings named."""
    changes = [dict.fromkeys(("model.n_layer", *also), layers) for layers in (12, 24, 48)]
    return timed([100, 180, 350], *changes, train_pairs=400)


def wider(*also: str) -> Run:
    """Runs on 1, 2 and 4 devices; what is named falls as their number grows."""
    changes: list[dict[str, object]] = [{"world_size": n, **dict.fromkeys(also, 400 // n)} for n in (1, 2, 4)]
    return timed([400, 210, 110], *changes, train_pairs=1600)


FAR = [0.80, 0.82, 0.81]
NEAR = [0.60, 0.62, 0.64]
CASES = [
    Case("C9", lambda: seeds(FAR, NEAR, beta=0.5), "not comparable: they differ in beta", lambda: seeds(FAR),
         "warning"),
    Case("D6", lambda: scored(**rate("ranking", 30, 40, 0.6, 0.86), **rate("ranking_of_reference", 20, 40, 0.35, 0.65)),
         "likelier in 30 of the 40 held-out pairs (0.60 to 0.86), the model before training in 20", big),
    Case("D7", lambda: scored(**rate("accuracy", 30, 40, 0.6, 0.86)), "ranked 30 correctly (0.75", big, "good"),
    Case("D7", lambda: scored(**rate("accuracy", 22, 40, 0.4, 0.69, 0.6)), "cannot be told from chance",
         lambda: scored(**rate("accuracy", 30, 40, 0.6, 0.86)), "info", "chance"),
    Case("E4", lambda: scored(values__drift_chosen_per_token__value=-1.5), "moved −1.50 nats per token",
         lambda: scored(values__drift_chosen_per_token__value=-0.5), "caution"),
    Case("E4", lambda: big(facts=FACTS | {"mean_completion_tokens": 2}, rewards__chosen=np.linspace(0, -0.5, 60),
                           rewards__rejected=np.linspace(0, -0.9, 60)), "moved −2.", big, "caution", "told length"),
    Case("E5", lambda: told(median_edit_distance=0.1), "distance 0.10", lambda: told(median_edit_distance=0.4),
         "caution"),
    Case("E7", lambda: scored(**rate("length.chosen_longer", 36, 40, 0.77, 0.96)), "the longer one (0.77 to 0.96)",
         lambda: scored(**rate("length.chosen_longer", 20, 40, 0.35, 0.65)), "caution"),
    Case("E8", lambda: scored(generations__greedy__length_ratio=1.5, generations__greedy__n=8), "1.50 times as long",
         lambda: scored(generations__greedy__length_ratio=1.1, generations__greedy__n=8), "caution"),
    Case("F7", lambda: scored(data__pairs_in_train=3), "3 of the 40 pairs of held.jsonl", scored, "warning"),
    Case("F8", lambda: evaluated([0.6], [0.7], rows=18, settings=BASE | {"per_device_eval_batch_size": 8}),
         "last of the batches of 8 held 2 of the 18 rows",
         lambda: evaluated([0.6], [0.7], rows=16, settings=BASE | {"per_device_eval_batch_size": 8}), "info"),
    Case("F10", judged, "in 70 of 100 comparisons (95 % Wilson interval 0.60 to 0.78; judged by some-judge of May, "
         "positions swapped, length-controlled). The judge was no person.", big, "good"),
    Case("F10", lambda: told(**WINS), "Not told: the judge, its version, how ties count", judged, "caution", "bare"),
    Case("F10", lambda: judged(wins=52), "cannot be told from chance", judged, "info", "chance"),
    Case("F10", lambda: judged(positions_swapped=False, length_controlled=False), "in 70 of 100", big, "caution",
         "uncontrolled"),
    Case("F10", lambda: judged(wins=9, n=10), "in 9 of 10", big, "caution", "few"),
    Case("H4", big, "rests on 4 pairs only", lambda: big(settings=BASE | {"gradient_accumulation_steps": 2}), "info"),
    Case("H6", lambda: told(truncated_share=0.2), "20 % of the training sequences were cut",
         lambda: told(truncated_share=0.01), "caution"),
    Case("H6", lambda: scored(data__cut=6), "6 of the 40 held-out pairs were cut", scored, "caution", "evaluated"),
    Case("I3", lambda: grown(400, 800, 1600, 3200), "The wall-clock time of the training loop for 1 epoch grew as the "
         "number of training pairs to the power of 0.99 (95 % t interval 0.96 to 1.03) over 400 to 3,200 training "
         "pairs: 4 sizes, 4 runs, otherwise set alike, on one H100.", lambda: grown(400, 800), "info"),
    Case("I3", lambda: grown(400, 800, 1600, seconds=0.05), "fixed costs weigh heavily",
         lambda: grown(400, 800, 1600), "caution", "short"),
    Case("I3", lambda: grown(400, 440, 480), "leave the exponent open",
         lambda: grown(400, 800, 1600), "caution", "wide"),
    Case("I3", lambda: grown(400, 800, 1600, hardware=""), "on [to be told",
         lambda: grown(400, 800, 1600), "caution", "somewhere"),
    Case("I3", lambda: deeper(), "time per optimizer step, with the same batch, grew as the number of model "
         "parameters to the power of 1.12", lambda: deeper("per_device_train_batch_size"), "info", "models"),
    Case("I3", lambda: wider("steps"), "time for each pair and epoch, with the same batch on each, fell as the number "
         "of devices to the power of −0.93", lambda: wider("steps", "max_grad_norm"), "info", "devices"),
    Case("I3", lambda: wider("gradient_accumulation_steps"), "with the same batch over all, fell as the number",
         lambda: wider("gradient_accumulation_steps", "steps"), "info", "shared batch"),
    Case("I6", lambda: counted(peak_flops=1e13), "about 10 % of 1 × 10¹³ FLOP/s per device (8 × parameters", counted),
    Case("I7", lambda: traced(energy_kwh=0.00031, co2_kg=0.00012, place="Germany"),
         "tracker recorded 0.31 Wh, and estimated 0.12 g CO₂e for the grid of Germany", big, "info"),
    Case("I7", lambda: counted(device_watts=360, grid_kg_per_kwh=0.4),
         "Assuming 360 W and no overhead, the training loop used about 10 Wh, or 4.0 g CO₂e at the stated 0.4 kg/kWh",
         lambda: counted(grid_kg_per_kwh=0.4), "caution", "assumed"),
    Case("I7", lambda: counted(device_watts=360, pue=1.5), "Assuming 360 W and a PUE of 1.5, the training loop used "
         "about 15 Wh: an estimate", counted, "caution", "no grid"),
    Case("J1", big, "a single run (seed 1)", lambda: seeds(FAR), "caution"),
    Case("J2", lambda: seeds(FAR), "(1, 2, 3), the held-out accuracy was 0.800, 0.820 and 0.810: mean 0.810, range "
         "0.800 to 0.820.", big, "info"),
    Case("J2", lambda: seeds([0.8, 0.7]), "two do not tell", lambda: seeds(FAR), "caution", "two"),
    Case("J2", lambda: seeds([0.7, 0.72, 0.74, 0.76, 0.78]), "95 % t interval of the mean 0.701 to 0.779",
         lambda: seeds(FAR), "info", "five"),
    Case("J3", lambda: tasks([[0.5, 0.9], [0.6, 0.8], [0.7, 0.9]]),
         "Over 2 held-out sets and 3 seeds the interquartile mean of the accuracy was 0.75; 5 of the 6 ac", big),
    Case("J3", lambda: tasks([[0.5, 0.9, 0.8], [0.6, 0.8, 0.7], [0.7, 0.9, 0.9]]), "(95 % stratified bootstrap 0.",
         lambda: tasks([[0.5, 0.9], [0.6, 0.8], [0.7, 0.9]]), name="nine"),
    Case("J4", lambda: seeds(FAR, NEAR, beta=0.5), "Against the runs with beta 0.5 (here 0.1), the held-out accuracy "
         "was 0.810 on average instead of 0.620: a difference of 0.190 (95 % paired t interval 0.147 to 0.233; "
         "sign-flip p = 0.25, where so few runs reach at best p = 0.25; 3 v 3 seeds).", lambda: seeds(FAR), "good"),
    Case("J4", lambda: seeds(FAR, NEAR, other=7, beta=0.5), "permutation p = 0.10, where so few runs reach at best "
         "p = 0.10; 3 v 3 seeds", lambda: seeds(FAR, NEAR, beta=0.5), "good", "unpaired"),
    Case("J4", lambda: seeds(NEAR, [0.61, 0.66, 0.60], other=7, beta=0.5), "cannot be told from the variation",
         lambda: seeds(FAR, NEAR, other=7, beta=0.5), "info", "undecided"),
    Case("J4", lambda: seeds(NEAR, FAR, beta=0.5), "a difference of −0.190", lambda: seeds(FAR, NEAR, beta=0.5), "info",
         "worse"),
    Case("J5", lambda: three_recipes(), "these 2 comparisons are adjusted", lambda: seeds(FAR, NEAR, beta=0.5), "info"),
    Case("J6", lambda: told(configurations_tried=12), "12 configurations of this method were tried", big, "caution"),
    Case("J6", lambda: seeds(FAR, NEAR, beta=0.5), "2 configurations are reported together; [to be told",
         lambda: seeds(FAR), "caution", "asked"),
    Case("J7", lambda: seeds(NEAR, [0.61, 0.66, 0.60], other=7, beta=0.5), "would have been found with 80 % power",
         lambda: seeds(FAR, NEAR, beta=0.5), "info"),
    Case("K6", lambda: told(control_run="SFT on the chosen answers, 60 steps"), "The control run was SFT on", big),
    Case("K7", big, "The training data: [to be told", lambda: told(data_source="hh-rlhf, MIT, English"), "caution"),
    Case("K7", lambda: big(answers={"data-source": "ours.", "preferences": "two annotators."}),
         "The training data: ours; the preferences: two annotators.", big, "info", "told"),
    Case("K9", lambda: told(edited_by_author=True), "The author has edited", big),
    Case("K10", lambda: told(safety_evaluation="Toxic-1"), "Safety was evaluated with Toxic-1.", big),
    Case("L8", lambda: sampled([0.1] * 30 + [0.5] * 30), "no evidence of better outputs", lambda: sampled([0.5] * 60),
         "caution"),
    Case("L9", lambda: sampled([0.5] * 60), "policy's own answers, sampled as it trained",
         lambda: sampled([0.5] * 60, evaluations={"reward": ([60], [0.4])}), "warning"),
]  # fmt: skip
STATED = ("D10", "K1", "K3", "K4", "K5", "K8")
"""Rules that print nothing of their own: they say in the appendix what is enforced."""


def three_recipes() -> Run:
    first = [evaluated([0.6], [x], settings=BASE | {"seed": i}) for i, x in enumerate(FAR)]
    more = [
        evaluated([0.6], [x], settings=BASE | {"seed": i, "beta": beta})
        for beta in (0.3, 0.5)
        for i, x in enumerate(NEAR)
    ]
    return with_siblings([*first, *more])[0]
