"""Makes one small run with the installed release of swanlab: ``python make_inputs.py MODE FOLDER``.

Made with 0.6.12 (``offline``) and 0.10.3 (``local``); of a run's folder the ``.swanlab`` file, ``files/config.yaml``
and ``logs`` were kept.
"""

from __future__ import annotations

import sys

import swanlab

CONFIG = {"learning_rate": 5e-6, "beta": 0.1, "optimizer": {"name": "adamw"}}


def main(mode: str, folder: str) -> None:
    """Log twelve steps, three evaluations and the closing row, as the Trainer's callback does."""
    try:
        swanlab.init(project="tiny", experiment_name="tiny", logdir=folder, mode=mode, config=CONFIG)
    except Exception:
        swanlab.init(project="tiny", name="tiny", log_dir=folder, mode=mode, config=CONFIG)
    for step in range(1, 13):
        swanlab.log({"train/loss": 0.693 / step, "train/learning_rate": 5e-6 * (1 - step / 12)}, step=step)
        if step % 4 == 0:
            swanlab.log({"eval/loss": 0.5 / step}, step=step)
    swanlab.log({"single_value/train_loss": 0.179, "single_value/train_runtime": 3.5}, step=12)
    swanlab.finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
