"""What ``train`` and ``evaluate`` take on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path


def for_train(parser: argparse.ArgumentParser) -> None:
    """A configuration file, and every option of it again."""
    parser.epilog = """\
examples:
  dpo-report train config.toml
  dpo-report train --model tiny --data pairs.jsonl --output-dir out/first
  dpo-report train config.toml --set dpo.beta=0.2 --set lora.r=8
  dpo-report train config.toml --resume         goes on after an interruption
"""
    parser.add_argument("config", nargs="?", type=Path, metavar="CONFIG.toml", help="the options, in a file")
    parser.add_argument("--model", help="a folder, a GGUF file, a hub id, or tiny: a small model made on the spot")
    parser.add_argument("--output-dir", metavar="DIR", help="the run's folder")
    parser.add_argument("--data", metavar="FILE", help="pairs: JSONL, JSON, CSV, Parquet, or a hub data set")
    parser.add_argument("--eval-data", metavar="FILE", help="held-out pairs")
    parser.add_argument("--eval-split", type=float, metavar="SHARE", help="hold out this share of the prompts instead")
    parser.add_argument("--micro-batch", help="auto (as large as memory allows), as-given, or a number")
    parser.add_argument(
        "--precision", choices=("auto", "fp32", "bf16"), help="auto: bf16 on a GPU or bf16 matrix units, else fp32"
    )
    parser.add_argument("--threads", help="auto (the physical cores), or a number")
    parser.add_argument("--sharing", choices=("auto", "off"), help="whether common beginnings are computed once (auto)")
    parser.add_argument(
        "--report", metavar="FORMATS", help="formats of the report at the end (latex,markdown), or none"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="sets",
        metavar="TABLE.KEY=VALUE",
        help="any field of [dpo] (trl.DPOConfig) or [lora] (peft.LoraConfig); may be given several times",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last whole checkpoint")
    parser.add_argument("--print-config", action="store_true", help="show every option with its origin, and stop")
    parser.add_argument("--check-data", action="store_true", help="check the pairs, and stop")


def for_evaluate(parser: argparse.ArgumentParser) -> None:
    """A run and held-out pairs."""
    parser.epilog = """\
examples:
  dpo-report evaluate out/first --data heldout.jsonl
  dpo-report evaluate out/lora --data heldout.jsonl --samples 0
  dpo-report evaluate out/mine --data heldout.jsonl --reference models/base
"""
    parser.add_argument("run", type=Path, metavar="RUN", help="a run folder with its weights (full or LoRA)")
    parser.add_argument("--data", required=True, metavar="FILE", help="held-out pairs, as for train")
    parser.add_argument("--train-data", metavar="FILE", help="the training pairs, to look for leakage (as train noted)")
    parser.add_argument("--reference", metavar="MODEL", help="the starting model (as train noted)")
    parser.add_argument("--beta", type=float, help="β of the implicit reward (as the run tells it)")
    parser.add_argument("--name", help="name of the results: evaluation/NAME.json (the data file's)")
    parser.add_argument("--batch", type=int, default=8, metavar="N", help="pairs in one forward pass (8)")
    parser.add_argument("--samples", type=int, default=8, metavar="N", help="prompts that both models answer (8)")
    parser.add_argument("--max-new-tokens", type=int, default=128, metavar="N", help="longest answer (128)")
    parser.add_argument("--max-length", type=int, metavar="N", help="tokens of prompt and answer (as in training)")
    parser.add_argument("--threads", default="auto", help="auto (the physical cores), or a number")
    parser.add_argument("--report", default="latex,markdown", metavar="FORMATS", help="formats to build, or none")
