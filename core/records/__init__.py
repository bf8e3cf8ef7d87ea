"""The records behind :mod:`dpo_report.core.model`, which is where to import them from."""
