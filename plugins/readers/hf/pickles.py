"""A pickle as data: what ``training_args.bin`` says, with nothing imported, built or called.

The opcodes come one by one; this machine keeps a stack of plain values. A class or function is
only a name (:class:`Name`), a call only a record (:class:`Record`). Shared and circular parts are harmless here because
nothing is hashed or compared, and :func:`plain` unfolds them within a budget.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dpo_report.plugins.readers.hf.opcodes import CODES, opcode, text_at

MAX_OPCODES = 200_000
MAX_TEXT = 20_000
MAX_DEPTH = 16
MAX_NODES = 20_000
MAX_WORK = 1_000_000


class Unreadable(Exception):  # noqa: N818 - told to the reader of the report as a problem of the file
    """The bytes are no pickle, or one that is too large; the message says which."""


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A class or function that the pickle names: ``torch.device``."""

    path: str


@dataclass(slots=True, eq=False)
class Record:
    """An object that the pickle would have built."""

    of: Any
    """The class or function."""
    args: Any = ()
    state: dict[str, Any] = field(default_factory=dict)
    """Attributes set afterwards, by name."""

    @property
    def path(self) -> str:
        """The dotted name of the class or function."""
        of = self.of
        if isinstance(of, Name) and of.path.endswith("._reconstructor") and isinstance(self.args, tuple) and self.args:
            of = self.args[0]  # how the two oldest protocols build an object
        return of.path if isinstance(of, Name) else "unknown"


_MARK = object()
_BINPUT, _BINUNICODE = CODES["BINPUT"], CODES["BINUNICODE"]
_CONSTANTS = {CODES["NONE"]: None, CODES["NEWTRUE"]: True, CODES["NEWFALSE"]: False}
_LITERALS = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}
_SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = frozenset({"PROTO", "FRAME", "READONLY_BUFFER"})


class _Machine:
    """The stack and the memo of one pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.work = 0
        """Attributes copied so far."""

    def step(self, op: str, arg: Any) -> None:
        """Carry out one opcode on plain values."""
        stack = self.stack
        if op in _LITERALS:
            stack.append(arg)
        elif op in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[int(arg)] = stack[-1]
        elif op == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif op in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[int(arg)])
        elif op in _EMPTY:
            stack.append(_EMPTY[op]())
        elif op in _SIZES:
            stack.append(tuple(self.pop(_SIZES[op])))
        elif op == "MARK":
            stack.append(_MARK)
        elif op in ("SETITEM", "SETITEMS"):
            items = self.pop(2) if op == "SETITEM" else self.since_mark()
            _put(stack[-1], items)
        elif op in ("APPEND", "APPENDS", "ADDITEMS"):
            items = self.pop(1) if op == "APPEND" else self.since_mark()
            if isinstance(stack[-1], list):
                stack[-1].extend(items)
        elif op in ("TUPLE", "LIST", "FROZENSET"):
            items = self.since_mark()
            stack.append(tuple(items) if op == "TUPLE" else items)
        elif op == "DICT":
            items = self.since_mark()
            stack.append({})
            _put(stack[-1], items)
        else:
            self.object_step(op, arg)

    def object_step(self, op: str, arg: Any) -> None:
        """Opcodes that would import, call or build."""
        stack = self.stack
        if op == "GLOBAL":
            stack.append(Name(str(arg).replace(" ", ".", 1)))
        elif op == "STACK_GLOBAL":
            module, name = self.pop(2)
            stack.append(Name(f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else "unknown"))
        elif op in ("REDUCE", "NEWOBJ"):
            of, args = self.pop(2)
            stack.append(Record(of, args))
        elif op == "NEWOBJ_EX":
            of, args, _ = self.pop(3)
            stack.append(Record(of, args))
        elif op == "INST":
            stack.append(Record(Name(str(arg).replace(" ", ".", 1)), tuple(self.since_mark())))
        elif op == "OBJ":
            of, *args = self.since_mark() or [None]
            stack.append(Record(of, tuple(args)))
        elif op == "BUILD":
            (state,) = self.pop(1)
            if isinstance(stack[-1], Record):
                for part in state if isinstance(state, tuple) else (state,):
                    if isinstance(part, dict):
                        self.work += len(part)
                        if self.work > MAX_WORK:
                            raise Unreadable("copies its values without end")
                        stack[-1].state.update(part)
        elif op == "BINPERSID":
            self.pop(1)
            stack.append(Record(Name("stored tensor")))
        elif op in ("PERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER"):
            stack.append(Record(Name("stored elsewhere")))
        elif op == "POP":
            self.pop(1)
        elif op == "POP_MARK":
            self.since_mark()
        elif op == "DUP":
            stack.append(stack[-1])
        elif op not in _IGNORED:
            raise Unreadable(f"holds the unknown opcode {op}")

    def pop(self, count: int) -> list[Any]:
        """The topmost values, the deepest first."""
        if len(self.stack) < count:
            raise Unreadable("is a broken pickle")
        found = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return found

    def since_mark(self) -> list[Any]:
        """Everything above the last mark, which goes too."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                found = self.stack[place + 1 :]
                del self.stack[place:]
                return found
        raise Unreadable("is a broken pickle")


def _put(target: Any, items: list[Any]) -> None:
    """Set pairs on a dict; only names and whole numbers become keys, so that nothing foreign is ever hashed."""
    if isinstance(target, dict):
        for key, value in zip(items[::2], items[1::2], strict=False):
            if isinstance(key, str | int):
                target[str(key)] = value


def unpickle(data: bytes, start: int = 0) -> tuple[Any, int]:
    """The value of the pickle at ``start``, and the index behind it.

    Raises:
        Unreadable: no pickle, broken, or too large.
    """
    machine = _Machine()
    stack, memo, place, size = machine.stack, machine.memo, start, len(data)
    try:
        for _ in range(MAX_OPCODES):
            code = data[place]
            if code == _BINUNICODE:  # these three are nine in ten, so they are carried out here
                begin = place + 5
                place = begin + int.from_bytes(data[place + 1 : begin], "little")
                text = text_at(data, begin, place)
                stack.append(text)
                if place < size and data[place] == _BINPUT:
                    memo[data[place + 1]] = text
                    place += 2
            elif code in _CONSTANTS:
                stack.append(_CONSTANTS[code])
                place += 1
            elif code == _BINPUT:
                memo[data[place + 1]] = stack[-1]
                place += 2
            else:
                name, argument, place = opcode(data, place)
                if name == "STOP":
                    return machine.pop(1)[0], place
                machine.step(name, argument)
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError, EOFError, struct.error) as error:
        raise Unreadable("is a broken pickle") from error
    raise Unreadable(f"is a pickle of more than {MAX_OPCODES:,} steps")


def tidy(text: str) -> str:
    """Text that can be written as UTF-8, cut where it is very long."""
    whole = text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
    return whole if len(whole) <= MAX_TEXT else whole[:MAX_TEXT] + "..."


def plain(value: Any) -> Any:
    """A value as text, numbers, booleans, None, lists and mappings; what is none of these as ``<its class>``."""
    if value is None or value is True or value is False:
        return value  # two in three arguments
    return _plain(value, MAX_DEPTH, [MAX_NODES])


def _plain(value: Any, depth: int, budget: list[int]) -> Any:
    budget[0] -= 1
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 63 else "<large number>"
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    if depth <= 0 or budget[0] <= 0:
        return "<more>"
    if isinstance(value, list | tuple):
        return [_plain(item, depth - 1, budget) for item in value[: max(budget[0], 0)]]
    if isinstance(value, dict):
        return {key: _plain(item, depth - 1, budget) for key, item in value.items()}
    if isinstance(value, Record):
        if value.state:
            return {key: _plain(item, depth - 1, budget) for key, item in value.state.items()}
        return _enum_value(value)
    return f"<{value.path}>" if isinstance(value, Name) else "<unknown>"


def _enum_value(record: Record) -> Any:
    """The value of an enum member, which pickles as its class called with it; anything else by its class name."""
    module, _, name = record.path.rpartition(".")
    foreign = module.split(".")[0] not in sys.stdlib_module_names
    if foreign and name[:1].isupper() and isinstance(record.args, tuple) and len(record.args) == 1:
        (only,) = record.args
        if isinstance(only, str | int | float):
            return _plain(only, 1, [1])
    return f"<{record.path}>"
