"""A gradient norm is an outlier against its neighbours, not because a sound run begins with large ones (rule G1)."""

from __future__ import annotations

import made
from rules import big, noise


def test_norms_that_fall_as_the_fit_grows_hold_no_outlier() -> None:
    norms = [4 * 0.9**row * (1 + 0.05 * x) for row, x in enumerate(noise(60))]
    assert made.finding(big(grad_norm=norms), "G1").status == "passed"


def test_one_spike_among_them_is_told_and_no_caution() -> None:
    norms = [4 * 0.97**row * (1 + 0.01 * x) for row, x in enumerate(noise(16))]
    norms[9] = 80.0
    finding = made.finding(big(grad_norm=norms), "G1")
    assert (str(finding.text), finding.severity) == (
        "The gradient norm was an outlier at step 10 (1 of 16 rows).",
        "info",
    )


def test_many_spikes_are_a_caution_and_zeros_are_left_out() -> None:
    norms = [1 + 0.1 * x for x in noise(60)]
    norms[10] = norms[30] = norms[40] = norms[50] = 90.0
    norms[5] = 0.0
    finding = made.finding(big(grad_norm=norms), "G1")
    assert finding.severity == "caution"
    assert "(4 of 59 rows)" in str(finding.text)
