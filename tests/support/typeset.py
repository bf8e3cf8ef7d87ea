"""Compiling what was written, and hostile input to write from."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENGINES = ("pdflatex", "lualatex", "xelatex")

HOSTILE = [
    "100% #1_run & $5 ~ ^2 \\ {x} | <b> \"q\" 'p' `t`",
    "\\input{/etc/passwd} \\write18{touch pwned} ^^41^^5cinput",
    "-- --- << >> ,, ?` !` ''x``",
    "训练运行 🚀 β=0.1 ×2 ≥ 3 10⁻⁶ naïve Ł ą ð ß",
    "\u202egnp.exe\u2066 \x00\x07 \u200b",
    "]] [1] *bold* _it_ </details><script>alert(1)</script> &amp; &#60;",
]
"""Strings that are markup somewhere."""


@dataclass(frozen=True)
class Compiled:
    """What an engine made of a document."""

    log: str
    pdf: Path

    @property
    def errors(self) -> list[str]:
        return re.findall(r"^! .*", self.log, re.MULTILINE)

    @property
    def overfull(self) -> list[str]:
        """Boxes that stick out by more than a point."""
        found = re.findall(r"^Overfull \\[hv]box \(([0-9.]+)pt.*$", self.log, re.MULTILINE)
        return [width for width in found if float(width) > 1]

    @property
    def undefined(self) -> list[str]:
        return re.findall(r"^.*(?:undefined|multiply.defined).*$", self.log, re.MULTILINE)

    @property
    def text(self) -> str:
        """The text of the pages, as somebody would copy it."""
        done = subprocess.run(["pdftotext", "-raw", str(self.pdf), "-"], capture_output=True, check=True)
        return done.stdout.decode()


def compiled(folder: Path, engine: str, name: str = "report", runs: int = 2) -> Compiled:
    """Run an engine on ``name.tex``; without shell escape, and never asking."""
    words = [engine, "-interaction=nonstopmode", "-no-shell-escape", f"{name}.tex"]
    for _ in range(runs):
        subprocess.run(words, cwd=folder, capture_output=True, timeout=120, check=False)
    log = (folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    return Compiled(log.replace("\r", ""), folder / f"{name}.pdf")


def document(body: str, options: str = "", preamble: str = "") -> str:
    """A plain article with nothing but the two packages that the parts of a report need."""
    return (
        f"\\documentclass[{options}]{{article}}\n\\usepackage{{booktabs,graphicx}}\n{preamble}\n"
        f"\\begin{{document}}\n{body}\n\\end{{document}}\n"
    )


def hostile_run(parent: Path) -> Path:
    """A finished run whose every free string is hostile: its name, its keys, its settings, its author's answers."""
    folder = parent / "run_50% #1 & {x} $y$ ^^41 中文"
    folder.mkdir(parents=True)
    rows = [
        {
            "step": step,
            "epoch": step / 4,
            "loss": 0.7 - 0.05 * step,
            "learning_rate": 5e-6 / step,
            "rewards/accuracies": 0.5 + 0.05 * step,
            "rewards/margins": 0.1 * step,
            "rewards/chosen": 0.06 * step,
            "rewards/rejected": -0.04 * step,
            "grad_norm": 3.0,
            "eval_<b>_100%_loss" if step % 4 == 0 else "loss_\\input{x}": 0.7,
        }
        for step in range(1, 9)
    ]
    state = {"global_step": 8, "max_steps": 8, "epoch": 2.0, "log_history": rows, "num_train_epochs": 2}
    (folder / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    config = {
        "_name_or_path": HOSTILE[1],
        "model_type": HOSTILE[0],
        "architectures": HOSTILE,
        "torch_dtype": HOSTILE[3],
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    asked = zip(("hardware", "data-source", "selection"), HOSTILE[1::2], strict=True)
    answers = "\n".join(f"{name} = {json.dumps(text, ensure_ascii=False)}" for name, text in asked)
    (folder / "dpo-report.toml").write_text(f"[answers]\n{answers}\n", encoding="utf-8")
    for name in ("a_b%c#d&e.bin", "50~60^{x}.txt", "中文 🚀.log", "<img src=x onerror=alert(1)>.md", "x" * 120 + ".pt"):
        (folder / name).write_bytes(b"x")
    return folder
