"""Forgets the marker."""


def register_metrics():
    return []
