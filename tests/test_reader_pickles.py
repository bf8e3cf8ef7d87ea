"""training_args.bin tells its settings, and nothing in it is ever imported, built or called."""

import enum
import io
import pickle
import struct
import sys
import time
import types
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_report.core.folder import Entry, Folder
from dpo_report.plugins.readers.hf import pickles
from dpo_report.plugins.readers.hf.args import Arguments, read_args
from dpo_report.plugins.readers.hf.pickles import Record, Unreadable, plain, unpickle

RUNS = Path(__file__).parent / "runs"


def read(folder: Path, data: bytes) -> Arguments:
    (folder / "training_args.bin").write_bytes(data)
    return read_args(Folder(folder), Entry("training_args.bin", len(data)))


def zipped(data: bytes, name: str = "training_args/data.pkl", compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        archive.writestr("training_args/version", "3")
        archive.writestr(name, data)
    return stream.getvalue()


@pytest.fixture
def arguments(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An arguments object whose classes claim to be TRL's, as a real file's do."""

    class Interval(enum.Enum):
        STEPS = "steps"

    class Device:
        def __reduce__(self) -> tuple[type, tuple[str]]:
            return Device, ("cpu",)

    class Shared:
        pass

    class Config:
        pass

    for item, home, name in (
        (Interval, "transformers.trainer_utils", "IntervalStrategy"),
        (Config, "trl.trainer.dpo_config", "DPOConfig"),
        (Shared, "accelerate.state", "PartialState"),
        (Device, "torch", "device"),
    ):
        item.__module__, item.__qualname__ = home, name
        module = types.ModuleType(home)
        setattr(module, name, item)
        for part in range(1, home.count(".") + 1):
            monkeypatch.setitem(sys.modules, home.rsplit(".", part)[0], types.ModuleType("x"))
        monkeypatch.setitem(sys.modules, home, module)
    config, shared = Config(), Shared()
    shared.__dict__.update(num_processes=4, device=Device())
    config.__dict__.update(
        learning_rate=5e-6, beta=0.1, loss_type=["sigmoid"], save_strategy=Interval.STEPS, max_steps=-1, run_name=None,
        bf16=False, _n_gpu=1, distributed_state=shared, device=Device(), hub_token="hf_secret", betas=(0.9, 0.999),
        options={"split": True}, text="ünï\u2028 \U0001f642",
    )  # fmt: skip
    return config


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("wrap", [zipped, bytes], ids=["zip", "bare"])
def test_settings_of_every_protocol(
    protocol: int, wrap: Callable[[bytes], bytes], arguments: Any, tmp_path: Path
) -> None:
    found = read(tmp_path, wrap(pickle.dumps(arguments, protocol)))
    assert found.problems == []
    assert found.config == "trl.trainer.dpo_config.DPOConfig"
    assert found.world_size == 4
    assert found.values == {
        "learning_rate": 5e-6, "beta": 0.1, "loss_type": ["sigmoid"], "save_strategy": "steps", "max_steps": -1,
        "run_name": None, "bf16": False, "device": "<torch.device>", "hub_token": "<secret, not shown>",
        "betas": [0.9, 0.999], "options": {"split": True}, "text": "ünï\u2028 \U0001f642",
    }  # fmt: skip


def test_the_old_torch_format(arguments: Any, tmp_path: Path) -> None:
    parts = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, arguments, []]
    found = read(tmp_path, b"".join(pickle.dumps(part, 2) for part in parts) + struct.pack("<q", 0))
    assert found.config == "trl.trainer.dpo_config.DPOConfig"
    assert found.values["beta"] == 0.1


@pytest.mark.parametrize("path", sorted(RUNS.glob("*/training_args.bin")), ids=lambda path: path.parent.name)
def test_real_files(path: Path) -> None:
    found = read_args(Folder(path.parent), Entry(path.name, path.stat().st_size))
    assert found.problems == []
    assert len(found.values) > 100
    assert found.values["output_dir"]
    assert found.world_size == 1


def test_150_settings_take_less_than_5_ms() -> None:
    path = RUNS / "dpo-log1" / "training_args.bin"
    entry = Entry(path.name, path.stat().st_size)
    times = []
    for _ in range(30):
        start = time.perf_counter()
        read_args(Folder(path.parent), entry)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005


class Touches:
    """Would leave a file if it were ever built, called or updated."""

    def __init__(self, how: Callable[..., Any], *args: Any) -> None:
        self.call = (how, args)

    def __reduce__(self) -> Any:
        return self.call


def evil(mark: Path) -> dict[str, bytes]:
    """Pickles that run code in any ordinary reader."""
    import os
    import subprocess

    command = f"touch {mark}"
    target = str(mark).encode()
    return {
        "os.system": pickle.dumps({"output_dir": Touches(os.system, command)}),
        "eval": pickle.dumps(Touches(eval, f"open({str(mark)!r}, 'w')")),
        "Popen": pickle.dumps({"output_dir": "x", "a": Touches(subprocess.Popen, ["touch", str(mark)])}, 2),
        "INST": b"(S'touch " + target + b"'\nios\nsystem\n.",
        "OBJ": b"(cos\nsystem\nS'touch " + target + b"'\no.",
        "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c"
        + bytes([len(command)])
        + command.encode()
        + b"\x85R.",
        "BUILD": b"\x80\x02cbuiltins\nobject\n)\x81}X\x09\x00\x00\x00__class__cos\nsystem\nsb.",
        "EXT": b"\x80\x02\x82\x01.",
        "PERSID": b"Pos.system\n.",
    }


@pytest.mark.parametrize("name", sorted(evil(Path("x"))))
@pytest.mark.parametrize("wrap", [zipped, bytes], ids=["zip", "bare"])
def test_nothing_is_run(name: str, wrap: Callable[[bytes], bytes], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    found = read(tmp_path, wrap(evil(mark)[name]))
    assert not mark.exists()
    for value in found.values.values():
        assert "touch" not in str(value)
    if name in ("os.system", "Popen"):
        assert "<" in str(found.values.values())


def test_a_command_is_no_enum_value() -> None:
    import subprocess

    assert plain(Record(pickles.Name("subprocess.Popen"), ("ls",))) == "<subprocess.Popen>"
    assert plain(Record(pickles.Name("posix.system"), ("ls",))) == "<posix.system>"
    assert plain(Record(pickles.Name("transformers.trainer_utils.HubStrategy"), ("end",))) == "end"
    assert subprocess.Popen  # named above, never called


def laughs(depth: int) -> bytes:
    """Lists of lists: 10 ** depth leaves out of a few bytes."""
    data = b"\x80\x02]q\x00X\x03\x00\x00\x00haha"
    for level in range(depth):
        data += b"]q" + bytes([level + 1]) + b"(" + b"h" + bytes([level]) + (b"h" + bytes([level])) * 9 + b"e"
    return data + b"."


def repeated_build() -> bytes:
    """One large dict copied into object after object."""
    entries = b"".join(b"X\x05\x00\x00\x00%05d\x88" % number for number in range(30_000))
    data = b"\x80\x02}q\x00(" + entries + b"u0cx\ny\nq\x01" + b"h\x01)\x81h\x00b0" * 30_000
    return data + b"h\x00."


@pytest.mark.parametrize(
    "data",
    {
        "billion laughs": laughs(40),
        "tuples in tuples": b"\x80\x02(" + b"\x85" * 50_000 + b".",
        "in itself": b"\x80\x02]q\x00h\x00a.",
        "dict in itself": b"\x80\x02}q\x00X\x0a\x00\x00\x00output_dirh\x00s.",
        "nested lists": b"]" * 100_000 + b"a" * 99_999 + b".",
        "endless marks": b"(" * 300_000 + b".",
        "memo bomb": b"\x80\x02K\x01" + b"".join(b"r" + struct.pack("<I", number) for number in range(300_000)) + b".",
        "copies": repeated_build(),
        "long number": b"\x80\x02\x8b" + struct.pack("<i", 1 << 20) + b"\x7f" * (1 << 20) + b".",
        "text number": b"L" + b"9" * 100_000 + b"L\n.",
        "length without end": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62),
        "no pickle": b"hello",
        "empty": b"",
        "only a stop": b".",
        "stack below": b"0000.",
        "unhashable key": b"\x80\x02}]K\x01s.",
        "unknown memo": b"h\x09.",
    }.items(),
    ids=lambda item: item[0],
)
def test_bombs_are_answered_at_once(data: tuple[str, bytes], tmp_path: Path) -> None:
    start = time.perf_counter()
    found = read(tmp_path, data[1])
    found = read(tmp_path, zipped(data[1]))
    assert time.perf_counter() - start < 5
    assert len(str(found.values)) < 1_000_000
    assert found.values or len(found.problems) == 1


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    found = read(tmp_path, zipped(bytes(50 << 20), compression=zipfile.ZIP_DEFLATED))
    assert "more than 4 MiB" in found.problems[0].message


@pytest.mark.parametrize("cut", [2, 30, 200, -30, -1])
def test_a_torn_archive_is_told(cut: int, tmp_path: Path) -> None:
    whole = (RUNS / "dpo-log1" / "training_args.bin").read_bytes()
    found = read(tmp_path, whole[:cut])
    assert found.values == {}
    assert "the settings in it are not known" in found.problems[0].message


@given(data=st.binary(max_size=60))
def test_any_bytes_are_answered(data: bytes) -> None:
    try:
        value, _ = unpickle(data)
    except Unreadable:
        return
    plain(value)


@given(data=st.binary(min_size=1, max_size=6), place=st.integers(0, 4000))
def test_a_damaged_file_is_answered(data: bytes, place: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = (RUNS / "dpo-log1" / "training_args.bin").read_bytes()
    found = read(tmp_path_factory.mktemp("args"), whole[:place] + data + whole[place + len(data) :])
    assert found.values or found.problems


def test_text_that_cannot_be_written_is_mended() -> None:
    value = plain({"a": "\ud800", "b": "x" * 50_000, "c": 1 << 80, "d": b"12"})
    assert value["a"] == "?"
    assert len(value["b"]) < 21_000
    assert value["c"] == "<large number>"
    assert value["d"] == "<2 bytes>"
