"""β and the loss types of a preference run."""

from __future__ import annotations

from dataclasses import dataclass

from dpo_report.core.model import Run, Source
from dpo_report.plugins.reading.told import numeric, setting, setting_source


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


def with_likelihood_term(run: Run) -> bool:
    """Whether CPO's likelihood term is added to SimPO's loss, which is then called CPO-SimPO."""
    return run.method == "simpo" and (numeric(setting(run, "cpo_alpha")) or 0.0) > 0


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
