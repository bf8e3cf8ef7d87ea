"""What :mod:`dpo_report.core.manager` is made of: finding plugins, checking what they declare, guarding their calls."""
