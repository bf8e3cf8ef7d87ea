"""Write the story's pairs: train.jsonl (240) and heldout.jsonl (120), which share no prompt and no name.

The task is that of ../runs/make_pairs.py: given some facts, follow two or three named edges. The chosen answer is the
chain that the question asks for, the rejected one a broken chain of the same number of edges. Always the same bytes.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    spec = importlib.util.spec_from_file_location("make_pairs", HERE.parent / "runs" / "make_pairs.py")
    assert spec is not None and spec.loader is not None
    source = sys.modules["make_pairs"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    train, held = source.made("train", 240, 0, 31), source.made("heldout", 120, 1, 47)
    assert not source.entities(train) & source.entities(held)
    assert not {source.prompt(pair) for pair in train} & {source.prompt(pair) for pair in held}
    source.write(HERE / "train.jsonl", train)
    source.write(HERE / "heldout.jsonl", held)


if __name__ == "__main__":
    main()
