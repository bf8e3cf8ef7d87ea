"""Group I, compute: tokens, floating-point operations and the project's whole compute."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import Ask, say
from dpo_report.plugins import reading


def token_rate(run: Run, values: Values) -> Finding:
    """I4."""
    tokens, runtime = values["tokens.seen"], values["runtime.train"]
    if reading.resumed_from(run):
        raise NotApplicable("the run was resumed: tokens and runtime cover different steps")
    if float(runtime.value) <= 0:
        raise NotApplicable("the runtime is zero")
    kind = "non-padding tokens/s" if "without padding" in tokens.note else "tokens/s"
    tail = "; the reference pass is not counted" if run.method in reading.IMPLICIT_REWARD else ""
    return found(
        say(
            "The trained model processed {x} {kind}{tail}.",
            x=numbers.number(float(tokens.value) / float(runtime.value)),
            kind=kind,
            tail=tail,
        ),
        evidence=("tokens.seen", "runtime.train"),
    )


def operations(run: Run, values: Values) -> Finding:
    """I5: 6·P·D for the policy, 2·P·D more for the reference model's forward pass (Kaplan et al. 2020)."""
    tokens, size = float(values["tokens.seen"].value), float(values["model.parameters"].value)
    if reading.setting(run, "lora.r") is not None:
        raise NotApplicable("with adapters the count of trained operations is not 6·P·D")
    factor = 6 if reading.setting(run, "precompute_ref_log_probs") else 8
    return found(
        say(
            "Training took about {x} floating-point operations, estimated as {factor} × parameters × tokens "
            "[@kaplan2020].",
            x=numbers.scientific(factor * size * tokens, 2),
            factor=factor,
        ),
        evidence=("tokens.seen", "model.parameters"),
    )


def whole_project(run: Run, values: Values) -> Finding:
    """I8."""
    told = run.answers.get("compute")
    if told:
        return found(say("The whole project used {told}.", told=told))
    ask = Ask("compute", "compute of the whole project, failed and tuning runs included")
    return found(say("Total project compute: {ask}.", ask=ask), "caution")


CHECKS = (
    Check(
        "I4",
        "Tokens per second",
        token_rate,
        needs=("value:tokens.seen", "value:runtime.train"),
        section="results",
        order=73,
        source="TRL and transformers token counters",
        forbids="padded and unpadded counts mixed",
    ),
    Check(
        "I5",
        "Floating-point operations",
        operations,
        needs=("method:dpo", "value:tokens.seen", "value:model.parameters"),
        section="reproducibility",
        order=20,
        source="Kaplan et al. 2020",
        forbids="“measured”",
    ),
    Check(
        "I8",
        "Total compute",
        whole_project,
        section="limitations",
        order=20,
        source="NeurIPS checklist; Dodge et al. 2019",
        forbids="this run as the total",
    ),
)
