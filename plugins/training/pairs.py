"""Preference pairs from a file: read, brought into one form, and checked row by row before anything is trained."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dpo_report.core.errors import ReportError
from dpo_report.plugins.training.needed import need

FIELDS = ("prompt", "chosen", "rejected")
SHOWN = 10
"""Faulty rows named in full; the others are counted."""
ROLES = {"prompt": "user", "chosen": "assistant", "rejected": "assistant"}


@dataclass(frozen=True, slots=True)
class Pair:
    """One preference pair; each part is a text, or chat messages where any pair of the set has them."""

    row: int
    """Its line (JSONL, CSV) or its number from 1 in its file."""
    prompt: Any
    chosen: Any
    rejected: Any

    def columns(self) -> dict[str, Any]:
        """As trl takes it."""
        return {"prompt": self.prompt, "chosen": self.chosen, "rejected": self.rejected}


@dataclass(slots=True)
class Pairs:
    """The pairs of one file and what was found wrong with others."""

    name: str
    """The file's name, or the hub id."""
    pairs: list[Pair]
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Rows left out, and why."""
    sha256: str = ""
    """Of the file; of the pairs as read, where it is a data set and no file."""
    repeated: int = 0
    """Rows whose prompt and answers stood in an earlier row; kept."""

    @property
    def chat(self) -> bool:
        """Whether the parts are chat messages."""
        return bool(self.pairs) and not isinstance(self.pairs[0].prompt, str)

    def said(self) -> Iterator[str]:
        """What was found, a line each."""
        for row, why in self.faults[:SHOWN]:
            yield f"{self.name}: row {row}: {why}; left out"
        if len(self.faults) > SHOWN:
            yield f"{self.name}: and {len(self.faults) - SHOWN:,} more rows left out"
        if self.repeated:
            yield f"{self.name}: {self.repeated:,} {_rows(self.repeated)} an earlier one"


def _rows(count: int) -> str:
    return "row repeats" if count == 1 else "rows repeat"


def read_pairs(source: str) -> Pairs:
    """Read and check a data set.

    Raises:
        ReportError: it cannot be read, or no row of it is a pair.
    """
    path = Path(source)
    if not path.exists() and (path.suffix or source.count("/") != 1):
        raise ReportError(f"there is no data file {source}", "give a JSONL, JSON, CSV or Parquet file of pairs")
    found = Pairs(path.name if path.exists() else source, [])
    if path.is_file():
        found.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    for row, record in _records(source, path, found):
        pair = _pair(row, record)
        if isinstance(pair, Pair):
            found.pairs.append(pair)
        else:
            found.faults.append((row, pair))
    if not found.pairs:
        why = f"row {found.faults[0][0]}: {found.faults[0][1]}" if found.faults else "it is empty"
        raise ReportError(f"{source} holds no preference pair ({why})", "every row needs prompt, chosen and rejected")
    if any(not isinstance(part, str) for pair in found.pairs for part in pair.columns().values()):
        found.pairs = [as_chat(pair) for pair in found.pairs]
    if not found.sha256:
        told = json.dumps([pair.columns() for pair in found.pairs], ensure_ascii=False)
        found.sha256 = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
    keys = [_key(pair.columns()) for pair in found.pairs]
    found.repeated = len(keys) - len(set(keys))
    found.faults.sort()
    return found


def _records(source: str, path: Path, found: Pairs) -> Iterator[tuple[int, Any]]:
    """Rows with their numbers; lines that are not JSON become faults."""
    try:
        if not path.is_file():
            yield from enumerate(_data_set(source, path), 1)
        elif path.suffix == ".parquet":
            need("pyarrow")
            import pyarrow.parquet

            yield from enumerate(pyarrow.parquet.read_table(path).to_pylist(), 1)
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                for record in reader:
                    yield reader.line_num, {key: _unpacked(value) for key, value in record.items()}
        elif path.suffix == ".json":
            content = json.loads(path.read_text(encoding="utf-8-sig"))
            rows = content.get("data", content) if isinstance(content, dict) else content
            if not isinstance(rows, list):
                raise ReportError(f"{path} is not a list of pairs", "one list of objects, or JSONL")
            yield from enumerate(rows, 1)
        else:
            for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
                if line.strip():
                    try:
                        yield number, json.loads(line)
                    except ValueError as error:
                        found.faults.append((number, f"is not JSON ({str(error).partition(':')[0].lower()})"))
    except (OSError, ValueError) as error:
        raise ReportError(f"cannot read {source}: {' '.join(str(error).split())[:200]}") from None


def _data_set(name: str, path: Path) -> Iterable[Any]:
    """The training split of a data set of the hub, or of one that lies in a folder."""
    need("datasets")
    from datasets import disable_progress_bars, load_dataset, load_from_disk

    disable_progress_bars()
    try:
        if any((path / mark).exists() for mark in ("state.json", "dataset_dict.json")):
            saved = load_from_disk(name)
            return list(saved["train"] if isinstance(saved, dict) else saved)
        return list(load_dataset(name, split="train"))
    except Exception as error:  # the hub's client raises its own errors, and those of its transport
        why = " ".join(str(error).split())[:160]
        if path.is_dir():
            hint = "give a file, or the folder of a data set with a train split"
            raise ReportError(f"the data set in {name} cannot be read: {why}", hint) from None
        hint = f"no file of that name is here; for the hub: {why}"
        raise ReportError(f"the data set {name} can be had neither here nor from the hub", hint) from None


def _unpacked(cell: Any) -> Any:
    """Chat messages in a table's cell are JSON."""
    if isinstance(cell, str) and cell.lstrip().startswith("[{"):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return cell


def _pair(row: int, record: Any) -> Pair | str:
    """A pair, or what is wrong with the row."""
    if not isinstance(record, dict):
        return "is no object with prompt, chosen and rejected"
    missing = [name for name in FIELDS if record.get(name) is None]
    if missing:
        return f"has no {' and no '.join(missing)}"
    for name in FIELDS:
        why = _wrong(record[name])
        if why:
            return f"{name} {why}"
    if _text(record["chosen"]).strip() == _text(record["rejected"]).strip():
        return "chosen and rejected are the same"
    return Pair(row, *(record[name] for name in FIELDS))


def _wrong(part: Any) -> str:
    if isinstance(part, str):
        return "" if part.strip() else "is empty"
    if not isinstance(part, list):
        return "is neither a text nor chat messages"
    if not part:
        return "is empty"
    for message in part:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            return "holds something that is no message with a role"
        if not isinstance(message.get("content"), str):
            return "holds a message whose content is no text"
    return "" if _text(part).strip() else "is empty"


def as_chat(pair: Pair) -> Pair:
    """Texts among messages become messages."""
    parts = {
        name: [{"role": ROLES[name], "content": part}] if isinstance(part, str) else _plain(part)
        for name, part in pair.columns().items()
    }
    return Pair(pair.row, **parts)


def _plain(messages: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def _text(part: Any) -> str:
    return part if isinstance(part, str) else "\n".join(message["content"] for message in part)


def text(part: Any) -> str:
    """A part as plain text, for people: the answers' contents, or a prompt's messages with their roles."""
    if isinstance(part, str):
        return part
    if len(part) == 1:
        return str(part[0]["content"])
    return "\n".join(f"{message['role']}: {message['content']}" for message in part)


def _key(value: Any) -> str:
    """A part's words, without regard to case and spaces."""
    told = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return " ".join(told.lower().split())


def prompt_key(pair: Pair) -> str:
    """What two pairs with the same prompt share."""
    return _key(_text(pair.prompt))


def leaked(train: Iterable[Pair], held: Iterable[Pair]) -> list[Pair]:
    """Held-out pairs whose prompt also stands in the training set."""
    known = {prompt_key(pair) for pair in train}
    return [pair for pair in held if prompt_key(pair) in known]


def split(pairs: Pairs, share: float, seed: int) -> tuple[Pairs, Pairs]:
    """Hold out about a share of the prompts, with all their pairs; the same prompts for the same seed.

    Raises:
        ReportError: nothing would be left on one side.
    """
    prompts = sorted({prompt_key(pair) for pair in pairs.pairs})
    prompts.sort(key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())
    held = set(prompts[: round(share * len(prompts))])
    if not held or len(held) == len(prompts):
        raise ReportError(
            f"eval_split = {share:g} of {len(prompts)} prompts leaves one side empty", "give more pairs, or eval_data"
        )
    sides: tuple[list[Pair], list[Pair]] = ([], [])
    for pair in pairs.pairs:
        sides[prompt_key(pair) in held].append(pair)
    rest = Pairs(pairs.name, sides[0], pairs.faults, pairs.sha256, pairs.repeated)
    return rest, Pairs(f"{pairs.name} (split off)", sides[1], [], pairs.sha256)
