"""``--format json``: report.json alone. It stands beside every other format too, so nothing is left to convert."""

from __future__ import annotations

from dpo_report.core.contract import Format

FORMAT = Format("json", ".json", lambda _kit: {})
