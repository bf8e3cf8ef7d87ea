"""Everything that the tool knows, declared through the hooks that third parties use."""

BUILTIN: tuple[str, ...] = (
    "dpo_report.plugins.readers",
    "dpo_report.plugins.metrics",
    "dpo_report.plugins.curves",
    "dpo_report.plugins.checks",
    "dpo_report.plugins.claims",
    "dpo_report.plugins.questions",
    "dpo_report.plugins.sections",
    "dpo_report.plugins.checklists",
    "dpo_report.plugins.formats",
    "dpo_report.plugins.works",
    "dpo_report.plugins.training",
    "dpo_report.plugins.paper",
    "dpo_report.plugins.asking",
    "dpo_report.plugins.scaffold",
    "dpo_report.plugins.templating",
    "dpo_report.plugins.watching",
)
"""Modules that the host loads as plugins, in the order in which reports list what they declare."""

COMMANDS: tuple[str, ...] = (
    "dpo_report.plugins.training",
    "dpo_report.plugins.paper",
    "dpo_report.plugins.asking",
    "dpo_report.plugins.scaffold",
    "dpo_report.plugins.templating",
    "dpo_report.plugins.watching",
)
"""Those of them that declare sub-commands: the only ones that ``dpo-report --help`` imports."""
