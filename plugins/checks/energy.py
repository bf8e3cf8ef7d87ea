"""I6 and I7: utilisation and energy, from what only the author or an emissions tracker can tell."""

from __future__ import annotations

from dpo_report.core import numbers
from dpo_report.core.contract import Check, NotApplicable, Values, found
from dpo_report.core.model import Finding, Run
from dpo_report.core.text import say
from dpo_report.plugins import reading


def utilisation(run: Run, values: Values) -> Finding:
    """I6: model FLOPs over runtime × peak × devices (Chowdhery et al. 2023); [facts] peak_flops is the peak of one
    device at the training's precision, in FLOP/s."""
    peak, devices = reading.numeric(reading.fact(run, "peak_flops")), reading.devices(run)
    if peak is None or peak <= 0:
        raise NotApplicable("the peak of the device at this precision is not told ([facts] peak_flops)")
    if devices is None:
        raise NotApplicable("the number of devices is not known")
    if reading.setting(run, "lora.r") is not None or reading.resumed_from(run):
        raise NotApplicable("with adapters, or after a resumption, the operations of this runtime are not known")
    runtime = float(values["runtime.train"].value)
    if runtime <= 0:
        raise NotApplicable("the runtime is zero")
    factor = 8 if run.method == "dpo" and not reading.setting(run, "precompute_ref_log_probs") else 6
    done = factor * float(values["model.parameters"].value) * float(values["tokens.seen"].value)
    share = done / (runtime * peak * devices)
    if share > 1:
        raise NotApplicable(f"the peak told, {numbers.scientific(peak, 2)} FLOP/s, is below what training reached")
    return found(
        say(
            "Model-FLOPs utilisation was about {share} of {peak} FLOP/s per device ({factor} × parameters × tokens "
            "over the wall-clock time, evaluations included) [@chowdhery2023palm].",
            share=numbers.share(share),
            peak=numbers.scientific(peak, 3),
            factor=factor,
        ),
        evidence=("runtime.train", "tokens.seen", "model.parameters"),
    )


def energy(run: Run, values: Values) -> Finding:
    """I7: as an emissions tracker recorded it (emissions.csv), else runtime × [facts] device_watts × devices × pue;
    [facts] grid_kg_per_kwh turns it into CO₂e."""
    grid = reading.numeric(reading.fact(run, "grid_kg_per_kwh"))
    end = " It covers this run alone, no tuning or failed runs [@lacoste2019; @henderson2020energy]."
    measured = run.number("emissions/energy_kwh")
    if measured is not None and measured > 0:
        carbon, place = run.number("emissions/co2_kg"), run.summary.get("emissions/place")
        where = f" for the grid of {place.value}" if place is not None else ""
        co2 = f", and estimated {_mass(carbon)} CO₂e{where}" if carbon is not None and carbon > 0 else ""
        text = say("The emissions tracker recorded {e}{co2}.", e=_watt_hours(measured), co2=co2)
        return found(text + say(end))
    watts, runtime = reading.numeric(reading.fact(run, "device_watts")), values.get("runtime.train")
    if watts is None or watts <= 0 or runtime is None:
        raise NotApplicable("no emissions.csv was found, and no power is told ([facts] device_watts)")
    devices, pue = reading.devices(run), reading.numeric(reading.fact(run, "pue"))
    if devices is None:
        raise NotApplicable("the number of devices is not known")
    if reading.resumed_from(run):
        raise NotApplicable("the run was resumed: its runtime covers a part of it")
    spent = watts * devices * float(runtime.value) / 3.6e6 * (pue if pue is not None and pue >= 1 else 1.0)
    factors = f"{numbers.setting(watts)} W" + (f" × {numbers.plural(devices, 'device')}" if devices > 1 else "")
    overhead = f" and a PUE of {numbers.setting(pue)}" if pue is not None and pue >= 1 else " and no overhead"
    co2 = ""
    if grid is not None and grid > 0:
        co2 = f", or {_mass(spent * grid)} CO₂e at the stated {numbers.setting(grid)} kg/kWh"
    text = say(
        "Assuming {factors}{overhead}, the training loop used about {e}{co2}: an estimate from the rated power, so "
        "rather an upper bound.",
        factors=factors,
        overhead=overhead,
        e=_watt_hours(spent),
        co2=co2,
    )
    return found(text + say(end), "caution", evidence=("runtime.train",))


def _watt_hours(kwh: float) -> str:
    """An energy for a sentence."""
    return f"{numbers.number(kwh, 2)} kWh" if kwh >= 1 else f"{numbers.number(1000 * kwh, 2)} Wh"


def _mass(kg: float) -> str:
    """A mass for a sentence."""
    return f"{numbers.number(kg, 2)} kg" if kg >= 1 else f"{numbers.number(1000 * kg, 2)} g"


CHECKS = (
    Check("I6", "Utilisation", utilisation, needs=("method:dpo,sft,reward,orpo,cpo,simpo", "value:runtime.train",
                                                  "value:tokens.seen", "value:model.parameters"),
          section="results", order=74, source="Chowdhery et al. 2023; Kaplan et al. 2020",
          forbids="a utilisation for an unknown peak"),
    Check("I7", "Energy", energy, section="results", order=75,
          source="Lacoste et al. 2019; Henderson et al. 2020; Strubell et al. 2019",
          forbids="CO₂ without the grid's factor; assumed power shown as measured"),
)  # fmt: skip
