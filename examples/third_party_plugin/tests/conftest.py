"""Fixtures and helpers of dpo-report for tests of plugins: discovery blocked, runs made by hand."""

pytest_plugins = ["dpo_report.testing"]
