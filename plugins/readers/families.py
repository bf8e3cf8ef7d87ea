"""Every reader of a family, in the order in which they are asked; the general one is the last."""

from __future__ import annotations

from dpo_report.core.contract import Reader
from dpo_report.plugins.readers import (
    accelerate,
    aim,
    allennlp,
    boosting,
    boostlogs,
    clearml,
    comet,
    dvclive,
    epochs,
    fairseq,
    flair,
    general,
    jsonlogs,
    keras,
    kerasconsole,
    lightning,
    llamafactory,
    ludwig,
    nanogpt,
    openrlhf,
    paddle,
    sacred,
    sentence,
    stable_baselines,
    swift,
    torchtune,
    trackio,
    verl,
)
from dpo_report.plugins.readers.mlflow import reader as mlflow
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
    kerasconsole.READER,
    stable_baselines.READER,
    flair.READER,
    *epochs.READERS,
    *jsonlogs.READERS,
    allennlp.READER,
    boosting.READER,
    boostlogs.READER,
    ludwig.READER,
    sacred.READER,
    nanogpt.READER,
    torchtune.READER,
    *verl.READERS,
    openrlhf.READER,
    fairseq.READER,
    paddle.READER,
    aim.READER,
    general.READER,
)
