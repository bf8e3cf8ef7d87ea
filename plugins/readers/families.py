"""Every reader of a family, in the order in which they are asked; the general one is the last."""

from __future__ import annotations

from dpo_report.core.contract import Reader
from dpo_report.plugins.readers import (
    accelerate,
    aim,
    allennlp,
    boosting,
    clearml,
    comet,
    dvclive,
    epochs,
    general,
    jsonlogs,
    keras,
    lightning,
    llamafactory,
    mlflow,
    nanogpt,
    sacred,
    sentence,
    stable_baselines,
    swift,
    textlogs,
    trackio,
)
from dpo_report.plugins.readers.swanlab import witness as swanlab
from dpo_report.plugins.readers.tensorboard import witness as tensorboard
from dpo_report.plugins.readers.wandb import witness as wandb

READERS: tuple[Reader, ...] = (
    tensorboard.READER,
    wandb.READER,
    swanlab.READER,
    llamafactory.READER,
    swift.READER,
    mlflow.READER,
    trackio.READER,
    dvclive.READER,
    clearml.READER,
    comet.READER,
    accelerate.READER,
    lightning.READER,
    sentence.READER,
    keras.READER,
    stable_baselines.READER,
    *epochs.READERS,
    *jsonlogs.READERS,
    allennlp.READER,
    *boosting.READERS,
    sacred.READER,
    nanogpt.READER,
    *textlogs.READERS,
    aim.READER,
    general.READER,
)
