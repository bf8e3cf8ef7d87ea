"""Python's search for garbage, which a command that ends soon need not wait for.

Importing libraries makes many objects and no garbage: looking for some takes a fifth of the time of a report.
"""

from __future__ import annotations

import atexit
import gc


def rest() -> None:
    """Look for no garbage in this process, nor at its end."""
    gc.disable()
    atexit.register(gc.freeze)


def resume() -> None:
    """Look for it again, at the end too: what follows may take hours, and some libraries count what is left of them."""
    gc.enable()
    atexit.unregister(gc.freeze)
