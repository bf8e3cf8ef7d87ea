"""Makes the event files beside it with TensorBoard's own writer: ``python make_inputs.py FOLDER`` (tensorboard 2.21).

``encodings`` holds one scalar in every encoding, ``trainer`` what the Trainer's callback writes, with its arguments.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

START = 1_700_000_000.0
ARGUMENTS = {
    "learning_rate": 5e-06,
    "beta": 0.1,
    "f_divergence_type": "reverse_kl",
    "max_steps": -1,
    "hub_token": "<HUB_TOKEN>",
    "accelerator_config": {"split_batches": False},
}
MODEL = {"model_type": "gpt2", "transformers_version": "5.23.0", "n_layer": 2}

Value = summary_pb2.Summary.Value


def tensor(tag: str, dtype: int, plugin: str = "scalars", **content: object) -> Value:
    """A value that is a tensor of no dimensions."""
    proto = tensor_pb2.TensorProto(dtype=dtype, tensor_shape=tensor_shape_pb2.TensorShapeProto(), **content)
    metadata = summary_pb2.SummaryMetadata(plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin))
    return Value(tag=tag, tensor=proto, metadata=metadata)


def text(tag: str, words: str) -> Value:
    """A text summary."""
    metadata = text_metadata.create_summary_metadata(display_name="", description="")
    return Value(tag=tag, tensor=tensor_util.make_tensor_proto(words.encode(), shape=(1,)), metadata=metadata)


def session() -> Value:
    """The hyper-parameter plugin's record."""
    info = plugin_data_pb2.SessionStartInfo()
    info.hparams["lr"].number_value = 1e-3
    info.hparams["layers"].number_value = 2.0
    info.hparams["optimizer"].string_value = "adamw"
    info.hparams["bias"].bool_value = True
    content = plugin_data_pb2.HParamsPluginData(session_start_info=info).SerializeToString()
    data = summary_pb2.SummaryMetadata.PluginData(plugin_name="hparams", content=content)
    return Value(tag="_hparams_/session_start_info", metadata=summary_pb2.SummaryMetadata(plugin_data=data))


def events(step: int, *values: Value) -> event_pb2.Event:
    """One event with these values."""
    return event_pb2.Event(wall_time=START + step, step=step, summary=summary_pb2.Summary(value=values))


def encodings() -> Iterable[event_pb2.Event]:
    """The number 1.5 (or 2, where it is whole) in every encoding, at steps 0, 1, 128 and 20000."""
    import numpy as np

    for step in (0, 1, 128, 20000):
        yield events(step, Value(tag="simple", simple_value=1.5))
        yield events(step, tensor("float", types_pb2.DT_FLOAT, float_val=[1.5]))
        yield events(step, tensor("double", types_pb2.DT_DOUBLE, double_val=[1.5]))
        yield events(step, tensor("half", types_pb2.DT_HALF, half_val=[int(np.float16(1.5).view(np.uint16))]))
        yield events(step, tensor("bfloat16", types_pb2.DT_BFLOAT16, half_val=[0x3FC0]))
        yield events(step, tensor("int", types_pb2.DT_INT32, int_val=[2]))
        yield events(step, tensor("int64", types_pb2.DT_INT64, int64_val=[-2]))
        for name, dtype, kind in (
            ("float content", types_pb2.DT_FLOAT, np.float32),
            ("double content", types_pb2.DT_DOUBLE, np.float64),
            ("half content", types_pb2.DT_HALF, np.float16),
        ):
            yield events(step, tensor(name, dtype, tensor_content=kind(1.5).tobytes()))
        yield events(step, tensor("no plugin", types_pb2.DT_FLOAT, plugin="", float_val=[1.5]))
        two = (Value(tag="first of two", simple_value=1.5), Value(tag="second of two", simple_value=-1.5))
        yield events(step, *two)
        yield events(step, tensor("vector", types_pb2.DT_FLOAT, float_val=[1.5, 2.5]))
        yield events(step, tensor("picture", types_pb2.DT_STRING, plugin="images", string_val=[b"png"]))


def trainer() -> Iterable[event_pb2.Event]:
    """Eight training steps, two evaluations, the closing row, and what must be left out."""
    yield events(
        0, text("args/text_summary", json.dumps(ARGUMENTS)), text("model_config/text_summary", json.dumps(MODEL))
    )
    yield events(0, Value(tag="hp_metric", simple_value=-1.0))
    for step in range(1, 9):
        for tag, value in (("loss", 0.75 - step / 16), ("learning_rate", 2.0**-step), ("rewards/chosen", step / 4)):
            yield events(step, Value(tag=f"train/{tag}", simple_value=value))
        yield events(step, Value(tag="train/epoch", simple_value=step / 4))
        if step % 4 == 0:
            yield events(step, Value(tag="eval/loss", simple_value=1 / step))
    for tag, value in (("train_runtime", 2.5), ("train_loss", 0.5), ("total_flos", 0.0)):
        yield events(8, Value(tag=f"train/{tag}", simple_value=value))


def main(folder: Path) -> None:
    """Write both folders."""
    for name, made in (("encodings", encodings), ("trainer", trainer)):
        home = folder / name
        writer = EventFileWriter(str(home))
        for event in made():
            writer.add_event(event)
        if name == "encodings":
            writer.add_event(events(0, session()))
        writer.close()
        (made_file,) = home.iterdir()
        made_file.rename(home / "events.out.tfevents.1700000000.host.1.0")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
