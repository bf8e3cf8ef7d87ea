"""The processes that train as one: brought together before the training, parted after it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def together(cpu: bool) -> Iterator[Any]:
    """accelerate's state of this process; the group of all processes, where there is one, is closed at the end.

    A thread of a group left open may still hold a tensor of the last exchange when Python ends, and freeing it then
    aborts the process. The threads end with the last reference to the group only, and a trainer holds one: the caller
    must have let go of it.

    After an error the group stays open: an exchange may be under way in which the other processes take no part any
    more, and closing would wait for it, by default for half an hour. That this process ends tells the others.
    """
    import torch
    from accelerate import PartialState

    if torch.distributed.is_available():  # imported later, it would keep the group as a default of its functions
        import torch.distributed.nn.functional
    state = PartialState(cpu=cpu)
    yield state
    if state.backend is not None:
        gc.collect()  # the trainer is part of cycles
        state.destroy_process_group()
