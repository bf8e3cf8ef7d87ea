"""Cases of the rules that a run alone makes speak."""

from __future__ import annotations

import math

import numpy as np

import made
from dpo_report.core.model import Run
from rules import BASE, FACTS, FALL, FLAT, Case, big, evaluated, noise

NAN, INF = math.nan, math.inf


def rewards(chosen: float, rejected: float, n: int = 60, **changes: object) -> Run:
    up = np.linspace(0, 1, n)
    jitter = 0.01 * noise(n)
    jitter[-1] = 0  # so that the last row is what the case says
    c, r = chosen * up + jitter, rejected * up - jitter
    given: dict[str, object] = {
        "loss": FALL[:n],
        "rewards__chosen": c,
        "rewards__rejected": r,
        "rewards__margins": c - r,
        "rewards__accuracies": [0.0] + [0.75] * (n - 1),
    }
    return big(**(given | changes))


def over_fitted(held: float = 0.7, rows: int = 200) -> Run:
    """95 % of the training pairs ranked correctly, and that share of so many held-out ones."""
    evaluations = {
        "loss": ([30, 60], [0.6, 0.6]),
        "rewards/accuracies": ([30, 60], [held, held]),
        "runtime": ([30, 60], [2.0, 2.0]),
        "samples_per_second": ([30, 60], [rows / 2, rows / 2]),
    }
    shares = [0.0] + [0.95] * 59
    settings = BASE | {"per_device_train_batch_size": 128}
    return rewards(1.0, -1.0, rewards__accuracies=shares, evaluations=evaluations, settings=settings)


def outgrown(last: float = 0.69) -> Run:
    """Held-out margins that rise, not at every step, past accuracies that end at ``last`` and began at 0.7."""
    steps = list(range(10, 130, 10))
    margins = [0.1 * k + 0.05 * x for k, x in enumerate(noise(12))]
    shares = [0.7, *[0.69, 0.71] * 5, last]
    curves = {"loss": [0.8] * 12, "rewards/margins": margins, "rewards/accuracies": shares}
    return big(steps=120, evaluations={name: (steps, curve) for name, curve in curves.items()})


def nothing() -> Run:
    return made.run(status="no-metrics", steps=None)


CASES = [
    Case("A1", lambda: big(), "no end-of-training summary was saved", made.first_user, "caution"),
    Case("A2", made.first_user, "logging interval, 10 steps, exceeds the 4 of the run", big, "caution"),
    Case("A2.none", nothing, "holds no training metrics", big, "warning"),
    Case("A3", big, "using TRL 1.16.0 [vonwerra2020trl], Transformers 5.23.0", lambda: big(versions={}), name="told"),
    Case("A3", lambda: big(versions={}), "[to be told by the author: versions of TRL", big, name="unknown"),
    Case(
        "A4",
        lambda: made.run(
            rows=[made.series("loss", FALL[:10], steps=range(6, 16))], settings=BASE | {"logging_steps": 1}
        ),
        "resumed at step 5; runtime and mean loss cover steps 6 to 15 only",
        big,
        "caution",
    ),
    Case(
        "A5",
        lambda: big(max_steps=60),
        "All 60 planned optimizer steps were taken",
        lambda: big(max_steps=100),
        name="complete",
    ),
    Case(
        "A5",
        lambda: big(max_steps=100, status="incomplete", epoch=0.6, summary={"train_runtime": 9.0}),
        "stopped at step 60 of 100 (epoch 0.6 of 1)",
        lambda: big(max_steps=60),
        "warning",
        name="stopped",
    ),
    Case(
        "A5",
        lambda: big(max_steps=100, status="incomplete"),
        "The last saved state is that of step 60 of 100; what came after it is not told",
        lambda: big(max_steps=100, status="incomplete", summary={"train_runtime": 9.0}),
        "warning",
        name="only a checkpoint",
    ),
    Case("A7", big, "Hardware: [to be told", lambda: big(answers={"hardware": "a laptop"}), "caution"),
    Case("B1", made.first_user, "4 pairs (1 per device × 4 accumulation steps × 1 device)", nothing),
    Case(
        "B1",
        lambda: big(
            facts={}, summary={"train_samples_per_second": 32.0, "train_steps_per_second": 1.0, "train_runtime": 60.0}
        ),
        "inferred from the logged rates: likely 8",
        made.first_user,
        "caution",
        name="devices",
    ),
    Case("B2", made.first_user, "Training took 4 optimizer steps (2 per epoch × 2 epochs)", nothing),
    Case(
        "B2",
        lambda: made.first_user(steps=5),
        "From 8 rows and this batch, 4 were to be expected",
        made.first_user,
        "warning",
        name="mismatch",
    ),
    Case("B3", made.first_user, "implies 8 training preference pairs", big),
    Case(
        "B3",
        lambda: made.first_user(facts={"train_pairs": 12}),
        "said to hold 12 preference pairs, but the logged throughput implies 8",
        made.first_user,
        "warning",
        name="contradiction",
    ),
    Case("B4", made.first_user, "seen twice (16 pair presentations)", nothing),
    Case(
        "B5",
        lambda: big(loss=[0.5] * 10, summary={"train_loss": 0.9}),
        "do not average to the reported mean (0.500 against 0.900)",
        lambda: big(loss=[0.5] * 10, summary={"train_loss": 0.5}),
        "warning",
    ),
    Case(
        "B8",
        lambda: rewards(1.0, -1.0, rewards__margins=[5.0] * 60),
        "Reward columns are inconsistent",
        lambda: rewards(1.0, -1.0),
        "warning",
    ),
    Case(
        "B9",
        lambda: big(loss=[4 * math.log(2), 2.0, 1.9], settings=BASE | {"gradient_accumulation_steps": 4}),
        "4.00× the analytic value",
        lambda: big(loss=[math.log(2), 0.6, 0.5], settings=BASE | {"gradient_accumulation_steps": 4}),
        "warning",
    ),
    Case("B10", made.first_user, "4.9 s on average over only 4 steps", big, "caution"),
    Case("C1", lambda: big(loss=[0.6931, 0.68]), "equal to the value implied", lambda: big(loss=[0.9, 0.8]), "info"),
    Case(
        "C1", lambda: big(loss=[0.73, 0.68]), "active dropout", lambda: big(loss=[0.6931, 0.6]), "caution", name="near"
    ),
    Case("C1", lambda: big(loss=[0.9, 0.68]), "another loss", lambda: big(loss=[0.6931, 0.6]), "warning", name="far"),
    Case("C2", made.first_user, "averaged over all 4 steps was 0.460", big),
    Case(
        "C2", made.first_user, "averaged", lambda: big(method="grpo", summary={"train_loss": 0.1}), name="not for grpo"
    ),
    Case("C3", big, "last logged window (step 60)", lambda: big(method="grpo")),
    Case("C4", big, "95 % block-bootstrap interval", lambda: big(loss=[0.69]), "good"),
    Case(
        "C4",
        lambda: big(loss=[0.69, 0.5, 0.4, 0.3]),
        "4 rows are too few for a trend",
        big,
        "caution",
        name="endpoints",
    ),
    Case("C4", lambda: big(loss=FALL[:12]), "a change of 0.0", big, "info", name="no interval below 20 steps"),
    Case("C5", made.first_user, "the remaining 3 averaged 0.382", big, "caution"),
    Case("C6", big, "a decreasing trend", lambda: big(loss=FALL[:12]), "good"),
    Case("C6", lambda: big(loss=FLAT), "No trend of the loss is detectable", big, "info", name="flat"),
    Case("C6", lambda: big(loss=FALL[::-1]), "an increasing trend", big, "warning", name="rising"),
    Case("C12", lambda: big(loss=[0.69, NAN, 0.6]), "Values were not finite at step 2", big, "warning"),
    Case(
        "C12",
        lambda: big(loss=[0.69, 0.0, 0.0], grad_norm=[1.0, NAN, NAN]),
        "the logged loss was exactly 0 at 2 steps",
        big,
        "warning",
        name="zeros beside NaN",
    ),
    Case(
        "C12",
        lambda: big(loss=[0.69, 0.2], grad_norm=[1.0, INF]),
        "Values were not finite at step 2",
        lambda: big(loss=[1e-4] * 20 + [0.0] * 5),
        "warning",
        name="saturated zeros are healthy",
    ),
    Case(
        "C12",
        lambda: big(loss=[1.0, NAN], settings=BASE | {"loss_type": "hinge"}),
        "step 2",
        lambda: big(loss=[1.0, 0.0, 0.0], settings=BASE | {"loss_type": "hinge"}),
        "warning",
        name="hinge reaches 0",
    ),
    Case("D1", lambda: rewards(1.0, -1.0), "(medians of the first and last 6 rows; last window", big, "good"),
    Case(
        "D1",
        lambda: rewards(1.0, -1.0, n=4),
        "over the last logged window (step 4; 20.0 nats of log-ratio)",
        big,
        "info",
        name="few rows",
    ),
    Case(
        "D2.train",
        lambda: rewards(1.0, -1.0),
        "In the last logged window (step 60) the implicit reward ranked 3 of 4 training pairs correctly",
        big,
    ),
    Case(
        "D2",
        lambda: evaluated([0.6], [0.78]),
        "The implicit reward ranked 78 % of 200 held-out pairs correctly at step 10 (95 % Wilson interval 72 to 83 %",
        big,
        "good",
    ),
    Case("D2", lambda: evaluated([0.6], [0.53]), "not distinguishable from chance", big, "info", name="chance"),
    Case(
        "D2",
        lambda: evaluated([0.6], [0.875], rows=8),
        "ranked 7 of 8 held-out pairs correctly",
        big,
        "caution",
        name="few",
    ),
    Case(
        "D3",
        lambda: made.first_user(summary=made.FIRST_SUMMARY | {"rewards/accuracies": 0.5625}),
        "about 0.75 is the most it could reach",
        made.first_user,
    ),
    Case(
        "D4",
        lambda: rewards(1.0, -1.0),
        "rests on 4 pairs",
        lambda: rewards(1.0, -1.0, settings=BASE | {"per_device_train_batch_size": 64}),
        "caution",
    ),
    Case(
        "D5",
        lambda: rewards(1.0, -1.0, loss=[0.69] + [0.01] * 59, rewards__accuracies=[0.0] + [1.0] * 59),
        "no evidence of generalisation",
        lambda: rewards(1.0, -1.0),
        "caution",
    ),
    Case("D5", over_fitted, "ranked correctly more often than held-out ones (95 %", big, "caution", name="over-fitted"),
    Case("E1", lambda: rewards(-1.0, -3.0), "likelihood displacement", lambda: rewards(1.0, -1.0), "caution"),
    Case(
        "E1",
        lambda: rewards(-1.0, -3.0),
        "fell by 10.0 nats on training pairs (step 60), per response on average",
        lambda: rewards(-1.0, -3.0, settings=BASE | {"loss_type": "apo_down"}),
        "caution",
        name="by design",
    ),
    Case(
        "E2",
        lambda: rewards(1.0, -1.0),
        "On training pairs, preferred responses became more likely",
        lambda: rewards(-1.0, -3.0),
        "good",
    ),
    Case("F1", big, "No held-out data were evaluated", lambda: evaluated([0.6]), "warning"),
    Case("F2", lambda: evaluated([0.6] * 6), "At step 60 the held-out loss was 0.600, against 0.", big, "info"),
    Case(
        "F3",
        lambda: evaluated([0.65, 0.6, 0.7, 0.9]),
        "lowest at step 20 (0.600) and ended at 0.900",
        lambda: evaluated([0.65, 0.6, 0.55, 0.5]),
        "caution",
    ),
    Case(
        "F4",
        lambda: big(
            settings=BASE | {"load_best_model_at_end": True},
            summary={"best_model_checkpoint": "/x/checkpoint-20"},
        ),
        "The saved model is that of checkpoint-20",
        big,
        "caution",
    ),
    Case(
        "F4",
        lambda: big(summary={"best_model_checkpoint": "/x/checkpoint-20"}),
        "noted checkpoint-20 as best by loss, but the values at the end are those of step 60",
        lambda: big(summary={"best_model_checkpoint": "/x/checkpoint-60"}),
        "caution",
        name="not loaded",
    ),
    Case(
        "F4",
        lambda: big(settings=BASE | {"load_best_model_at_end": True}),
        "was to be loaded at the end; which one it was, the run does not tell",
        lambda: big(settings=BASE | {"load_best_model_at_end": True}, status="incomplete"),
        "caution",
        name="not told which",
    ),
    Case(
        "G4",
        lambda: big(settings=BASE | {"learning_rate": 5e-6, "lr_scheduler_type": "linear"}),
        "5 × 10⁻⁶ with a linear",
        nothing,
    ),
    Case(
        "G8",
        made.first_user,
        "only 4 optimizer updates; curves and rates are not estimable",
        lambda: big(max_steps=200, steps=200),
        "warning",
    ),
    Case("G8", big, "only 60 optimizer updates", lambda: big(max_steps=200, steps=200), "caution", name="under 100"),
    Case("G9", lambda: big(settings=BASE | {"bf16": True}), "bfloat16 mixed precision", nothing),
    Case("H1", big, "β = 0.1", lambda: big(method="sft")),
    Case("H1", lambda: big(settings={}), "β is not told by the run", big, "caution", name="assumed"),
    Case(
        "H3",
        made.first_user,
        "8 pairs is of smoke-test scale",
        lambda: big(facts=FACTS | {"train_pairs": 9000}),
        "warning",
    ),
    Case("H3", big, "240 pairs is small", made.first_user, "caution", name="small"),
    Case(
        "H5", lambda: big(settings=BASE | {"base_model": "/home/me/models/gpt2"}), "Training started from gpt2", nothing
    ),
    Case("H7", big, "The reference model was [to be told", lambda: big(method="sft")),
    Case("I1", made.first_user, "Wall-clock time of the training loop: 19.6 s", big),
    Case(
        "I2",
        made.first_user,
        "over so short a run, start-up, evaluations and checkpoints weigh heavily in it",
        big,
        "caution",
    ),
    Case("J1", big, "a single run (seed 1)", nothing, "caution"),
    Case("K2", made.first_user, "The run is too small for inference: percentages", big, "warning"),
    Case(
        "L4",
        lambda: big(method=None, rollout__ep_rew_mean=[1.0] * 30 + [5.0] * 30),
        "reinforcement learner is not a progress measure and is not interpreted; the mean episode reward of training "
        "went from 1.00 to 5.00 (median of 6 rows at either end).",
        big,
        name="episodes",
    ),
    Case(
        "L4",
        lambda: big(method="grpo", reward=[0.1] * 30 + [0.5] * 30),
        "went from 0.100 to 0.500 (median of 6 rows at either end; 95 % block-bootstrap interval of the change 0.",
        big,
    ),
    Case(
        "L4",
        lambda: big(method="grpo", reward=[0.1, 0.9, 0.4] * 20),
        ", which includes no change). This is the optimised quantity itself",
        lambda: big(method="grpo", reward=[0.1] * 30 + [0.5] * 30),
        name="noise",
    ),
]


RATES = BASE | {"learning_rate": 1e-5, "lr_scheduler_type": "linear", "warmup_steps": 0, "max_grad_norm": 1.0}
LINEAR = [1e-5 * (60 - k) / 60 for k in range(60)]


def known(**defaults: bool) -> Run:
    """A run whose settings are known to be defaults or not."""
    from dataclasses import replace

    made_run = big(settings=RATES)
    settings = {n: replace(s, is_default=defaults.get(n, False)) for n, s in made_run.settings.items()}
    return replace(made_run, settings=settings)


def over_optimised() -> Run:
    steps = [10, 20, 30, 40]
    return big(
        evaluations={
            "loss": (steps, [0.6] * 4),
            "rewards/margins": (steps, [0.1, 0.2, 0.3, 0.4]),
            "rewards/accuracies": (steps, [0.7, 0.69, 0.68, 0.68]),
        }
    )


def orpo(beta: float) -> Run:
    nll, ratio = np.linspace(3, 2, 30), np.linspace(-0.7, -0.5, 30)
    return big(
        method="orpo",
        settings={"beta": beta},
        loss=nll - 0.1 * ratio,
        nll_loss=nll,
        log_odds_ratio=ratio,
        log_odds_chosen=np.linspace(0.1, 0.4, 30),
    )


CASES += [
    Case(
        "B6",
        lambda: rewards(0.0, 0.0, rewards__margins=[-3.0] * 60),
        "rows are inconsistent in 59 rows",
        lambda: rewards(0.1, -0.1, loss=[0.7] * 60),
        "warning",
    ),
    Case("B7", lambda: orpo(0.5), "β inferred from the rows: 0.1", lambda: orpo(0.1), "caution"),
    Case(
        "C7",
        lambda: big(loss=FALL[:40] + [0.5 + 1e-5 * x for x in noise(30)], learning_rate=[1e-5] * 70),
        "flat over the last third",
        big,
    ),
    Case(
        "C8",
        lambda: big(
            loss=[0.69 + 0.001 * x for x in noise(30)] + [0.4 + 0.001 * x for x in noise(30)],
            settings=BASE | {"num_train_epochs": 2.0},
        ),
        "a sign that pairs seen before are remembered",
        lambda: big(settings=BASE | {"num_train_epochs": 2.0}),
        "caution",
    ),
    Case(
        "C10",
        lambda: big(settings=BASE | {"label_smoothing": 0.1}, versions=made.OLD),
        "this loss's floor of 0.325",
        big,
    ),
    Case(
        "C11", lambda: big(loss=FALL[:30] + [2.0] * 3), "ended above its starting loss (2.000 > 0.693)", big, "warning"
    ),
    Case("C13", lambda: big(loss=FLAT), "varied more from row to row than it changed in all", big, "caution"),
    Case(
        "D8",
        lambda: rewards(5.0, -10.0),
        "On training pairs the margin reached 150 nats",
        lambda: rewards(1.0, -1.0),
        "caution",
    ),
    Case(
        "D9", lambda: rewards(-1.0, 1.0), "Dispreferred responses are favoured", lambda: rewards(1.0, -1.0), "warning"
    ),
    Case(
        "E3",
        lambda: rewards(2.0, 1.0),
        "Both responses of the training pairs became more likely",
        lambda: rewards(1.0, -1.0),
    ),
    Case(
        "E6",
        lambda: big(entropy=np.linspace(4, 1, 60)),
        "Token entropy fell by",
        lambda: big(entropy=[4.0] * 60),
        "caution",
    ),
    Case(
        "F5",
        lambda: evaluated([0.6, 0.5], settings=BASE | {"load_best_model_at_end": True}),
        "best of 2 evaluations",
        lambda: evaluated([0.6, 0.5]),
        "caution",
    ),
    Case(
        "F6",
        lambda: evaluated([0.6, 0.5], [0.70, 0.72]),
        "lie between 0.70 and 0.72, no more than two standard errors apart (one is about 0.032 on 200 pairs), so",
        lambda: evaluated([0.6], [0.7]),
    ),
    Case("F9", outgrown, "grew over the last 12 evaluations while held-out accuracy did not", big, name="trend"),
    Case(
        "F9",
        over_optimised,
        "held-out margin grew over the last 4 evaluations while held-out accuracy did not",
        lambda: evaluated([0.6] * 4, [0.7] * 4),
        "caution",
    ),
    Case(
        "G1",
        lambda: big(grad_norm=[1.0 + 0.01 * x for x in noise(59)] + [50.0]),
        "an outlier at step 60 (1 of 60 rows)",
        lambda: big(grad_norm=[1.0 + 0.01 * x for x in noise(60)]),
        "info",
    ),
    Case(
        "G1",
        lambda: big(grad_norm=[1.0 + 0.01 * x for x in noise(54)] + [50.0] * 6),
        "an outlier at steps 55, 56, 57, 58, 59 and others (6 of 60 rows)",
        big,
        "caution",
        name="many",
    ),
    Case("G2", lambda: big(settings=RATES, grad_norm=[2.0] * 45 + [0.5] * 15), "active in 45 of 60", big),
    Case(
        "G3",
        lambda: big(grad_norm=[1.0] * 50 + [1e-9] * 10),
        "vanished from step 51",
        lambda: big(grad_norm=[1.0] * 60),
        "caution",
    ),
    Case(
        "G4",
        lambda: big(settings=RATES, learning_rate=LINEAR[::-1]),
        "differ from this schedule",
        lambda: big(settings=RATES, learning_rate=LINEAR),
        "warning",
        name="other schedule",
    ),
    Case(
        "G5",
        lambda: big(settings=RATES | {"warmup_steps": 5}),
        "the first update changed nothing",
        lambda: big(settings=RATES),
        "info",
    ),
    Case(
        "G5",
        lambda: big(settings=RATES | {"warmup_steps": 80}),
        "never reached",
        lambda: big(settings=RATES),
        "warning",
        name="no peak",
    ),
    Case(
        "G6",
        lambda: rewards(
            -30.0, -60.0, rewards__chosen=[-9.0] * 60, rewards__rejected=[-12.0] * 60, rewards__margins=[3.0] * 60
        ),
        "Too high a learning rate is one possible cause",
        lambda: rewards(1.0, -1.0),
        "caution",
    ),
    Case(
        "G7",
        lambda: rewards(1e-3, -1e-3, loss=[0.693] * 60, learning_rate=LINEAR),
        "barely moved",
        lambda: rewards(1.0, -1.0),
        "caution",
    ),
    Case("H1", lambda: big(settings=BASE | {"beta": 8.0}), "published DPO work uses", big, "caution", name="unusual"),
    Case("H2", lambda: big(settings=BASE | {"num_train_epochs": 5.0}), "Training took 5 epochs", big, "caution"),
    Case(
        "H8",
        lambda: known(beta=True, seed=True),
        "Library defaults were kept for beta and seed",
        lambda: known(),
        "info",
    ),
    Case(
        "H9",
        lambda: big(settings=BASE | {"full_determinism": False}),
        "Seed 1; deterministic algorithms were not enforced",
        lambda: big(settings={}),
    ),
    Case(
        "I4",
        lambda: made.first_user(rows=[made.series("num_tokens", [1000.0], steps=[4])]),
        "The trained model processed 51.0 non-padding tokens/s; the reference pass is not counted",
        made.first_user,
    ),
    Case(
        "I5",
        lambda: made.first_user(
            rows=[made.series("num_tokens", [1000.0], steps=[4])],
            settings=made.FIRST_USER
            | {
                "model.model_type": "gpt2",
                "model.n_embd": 768,
                "model.n_layer": 12,
                "model.vocab_size": 50257,
                "model.n_positions": 1024,
            },
        ),
        "about 1 × 10¹²",
        made.first_user,
    ),
    Case(
        "I8",
        big,
        "Total project compute: [to be told",
        lambda: big(answers={"compute": "two days on one GPU"}),
        "caution",
    ),
    Case(
        "L1",
        lambda: big(method="kto", settings={"per_device_train_batch_size": 2}),
        "at least 4 are recommended",
        big,
        "caution",
    ),
    Case("L2", lambda: orpo(0.1), "went from 0.100 to 0.400", big),
    Case("L3", lambda: big(method="cpo", rewards__accuracies=[0.6, 0.7]), "went from 0.60 (close to the untuned", big),
    Case(
        "L5",
        lambda: big(method="grpo", frac_reward_zero_std=[0.8] * 5),
        "80 % of the prompt groups",
        lambda: big(method="grpo", frac_reward_zero_std=[0.1] * 5),
        "caution",
    ),
    Case(
        "L6",
        lambda: big(method="grpo", rows=[made.series("completions/clipped_ratio", [0.6] * 5)]),
        "60 % of the completions hit",
        lambda: big(method="grpo", rows=[made.series("completions/clipped_ratio", [0.0] * 5)]),
        "caution",
    ),
    Case(
        "L7",
        lambda: big(method="grpo"),
        "No KL divergence was logged",
        lambda: big(method="grpo", kl=[0.0, 0.1]),
        "info",
    ),
    Case(
        "L10",
        lambda: evaluated([1.0], method="sft"),
        "A held-out loss of 1.000 is a perplexity of 2.72",
        lambda: evaluated([1.0]),
        "info",
    ),
    Case("L11", lambda: big(method="reward"), "no fixed scale", big),
]
