"""Makes one small offline run with the installed release of wandb: ``python make_inputs.py FOLDER``.

Made with 0.16.6, 0.19.11 and 0.31.0; only the ``.wandb`` file (and what stands in ``files``) was kept. Everything that
would tell of the machine is switched off.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import wandb

QUIET = {
    "host": "host",
    "console": "off",
    "disable_git": True,
    "disable_code": True,
    "save_code": False,
    "program": "train.py",
    "username": "user",
    "_disable_meta": True,
    "_disable_stats": True,
    "_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
}
CONFIG = {"learning_rate": 5e-6, "beta": 0.1, "f_divergence_type": "reverse_kl", "optimizer": {"name": "adamw"}}


def known(settings: dict[str, object]) -> dict[str, object]:
    """The settings that this release has."""
    found = {}
    for name, value in settings.items():
        try:
            wandb.Settings(**{name: value})
        except Exception:
            continue
        found[name] = value
    return found


def main(folder: Path) -> None:
    """Log twelve steps, three evaluations and the closing row, as the Trainer's callback does."""
    os.environ["WANDB_MODE"] = "offline"
    os.environ["WANDB_SILENT"] = "true"
    run = wandb.init(
        project="tiny", name="tiny", id="tiny", dir=folder, config=CONFIG, settings=wandb.Settings(**known(QUIET))
    )
    for step in range(1, 13):
        run.log(
            {
                "train/loss": 0.693 / step,
                "train/learning_rate": 5e-6 * (1 - step / 12),
                "train/rewards/chosen": 0.25 * step,
                "train/grad_norm": float("nan") if step == 3 else 1.5,
                "train/epoch": step / 6,
                "train/global_step": step,
            }
        )
        if step % 4 == 0:
            run.log({"eval/loss": 0.5 / step, "eval/runtime": 0.25, "train/global_step": step})
    run.log(
        {
            "probe": {"inner": 2.5},
            "histogram": wandb.Histogram(np_histogram=([1, 2], [0, 1, 2])),
            "train/global_step": 12,
        }
    )
    for key, value in {"train_runtime": 3.5, "train_loss": 0.179, "total_flos": 0.0}.items():
        run.summary[key] = value
    wandb.finish()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
