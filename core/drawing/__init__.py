"""How figures are drawn: laid out as primitives in points (:mod:`.layout`), then painted by matplotlib
(:mod:`.paint`). :mod:`dpo_report.core.figures` is the way in."""
