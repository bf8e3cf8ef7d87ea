"""Copy a finished run here as it is committed: without weights, optimizer state, tokenizer and starting model."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

LEFT_OUT = ("*.safetensors", "optimizer.pt", "tokenizer.json", "reference", "rng_state*.pth", "training_args.bin")


def main() -> None:
    source, target = Path(sys.argv[1]), Path(__file__).resolve().parent / "run"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    shutil.copyfile(source / "training_args.bin", target / "training_args.bin")


if __name__ == "__main__":
    main()
