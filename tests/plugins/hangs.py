"""A metric that takes its time; how long is told by the environment."""

import os
import time

from dpo_report.core.contract import Metric
from dpo_report.core.hookspecs import hookimpl
from dpo_report.core.model import Value


def count(run):
    end = time.monotonic() + float(os.environ["HANG_SECONDS"])
    while time.monotonic() < end:
        time.sleep(0.05)
    return Value("kg.slow", 1, ())


@hookimpl
def register_metrics():
    return [Metric("kg.slow", "slow", count)]
