"""A setting is called a default only where the library's source, in the version that ran, says so."""

import importlib.util
import itertools
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from dpo_report.plugins.readers.hf import defaults
from dpo_report.plugins.readers.hf.defaults import is_default

FILE = Path(defaults.__file__).with_name("defaults.json")
TABLE = json.loads(FILE.read_text(encoding="utf-8"))
CLASSES = {name: entry for name, entry in TABLE.items() if name not in ("comment", "examined")}
NOW = {"trl": "1.16.0", "transformers": "5.23.0"}
OLD = {"trl": "0.9.6", "transformers": "4.42.4"}


@pytest.mark.parametrize(
    ("config", "name", "value", "versions", "expected"),
    [
        ("trl.trainer.dpo_config.DPOConfig", "beta", 0.1, NOW, True),
        ("DPOConfig", "beta", 0.2, NOW, False),
        ("DPOConfig", "learning_rate", 1e-6, NOW, True),
        ("DPOConfig", "learning_rate", 5e-5, NOW, False),
        ("DPOConfig", "learning_rate", 5e-5, OLD, True),  # then still that of the base class
        ("DPOConfig", "logging_steps", 10, NOW, True),
        ("DPOConfig", "logging_steps", 500, OLD, True),
        ("DPOConfig", "logging_steps", 500, NOW, False),
        ("DPOConfig", "bf16", True, NOW, True),
        ("DPOConfig", "bf16", False, NOW, False),
        ("DPOConfig", "bf16", False, OLD, True),
        ("DPOConfig", "loss_type", ["sigmoid"], NOW, True),
        ("DPOConfig", "loss_type", "sigmoid", {"trl": "0.24.0"}, True),
        ("DPOConfig", "loss_type", "ipo", NOW, False),
        ("DPOConfig", "gradient_checkpointing", True, NOW, True),
        ("DPOConfig", "num_train_epochs", 3.0, NOW, True),
        ("DPOConfig", "num_train_epochs", 3, NOW, True),
        ("DPOConfig", "lr_scheduler_type", "linear", NOW, True),
        ("TrainingArguments", "seed", 42, {"transformers": "4.53.3"}, True),
        ("TrainingArguments", "gradient_checkpointing", False, NOW, True),
        ("Seq2SeqTrainingArguments", "weight_decay", 0.0, NOW, True),
        ("GRPOConfig", "beta", 0.0, NOW, True),
        ("GRPOConfig", "beta", 0.04, {"trl": "0.14.0"}, True),
    ],
)
def test_known_defaults(config: str, name: str, value: object, versions: dict[str, str], expected: bool) -> None:
    assert is_default(config, name, value, versions) is expected


@pytest.mark.parametrize(
    ("config", "name", "value", "versions"),
    [
        ("DPOConfig", "beta", 0.1, {}),
        ("DPOConfig", "beta", 0.1, {"trl": "unknown"}),
        ("DPOConfig", "beta", 0.1, {"trl": "0.8.6"}),  # before the first release looked at
        ("DPOConfig", "beta", 0.1, {"trl": "2.0.0"}),  # after the last
        ("DPOConfig", "max_length", 1024, {"trl": "0.13.0"}),  # changed somewhere between 0.12.2 and 0.14.0
        ("DPOConfig", "num_train_epochs", 3.0, {"trl": "1.16.0"}),  # the base class's version is not told
        ("DPOConfig", "report_to", [], NOW),  # filled in from what is installed
        ("DPOConfig", "no_such_setting", 1, NOW),
        ("MyOwnConfig", "beta", 0.1, NOW),
        ("comment", "beta", 0.1, NOW),
        ("examined", "trl", 0.1, NOW),
    ],
)
def test_what_is_not_known_is_not_guessed(config: str, name: str, value: object, versions: dict[str, str]) -> None:
    assert is_default(config, name, value, versions) is None


def test_between_releases_that_agree_the_default_is_known() -> None:
    assert is_default("DPOConfig", "beta", 0.1, {"trl": "0.13.0"}) is True
    assert is_default("DPOConfig", "beta", 0.1, {"trl": "1.10.0.dev0"}) is True
    assert is_default("DPOConfig", "beta", 0.1, {"trl": "1.16.3"}) is True


def test_the_file_keeps_its_form() -> None:
    assert FILE.stat().st_size < 120_000
    order = {version: i for versions in TABLE["examined"].values() for i, version in enumerate(versions)}
    assert set(CLASSES) >= {
        "TrainingArguments",
        "DPOConfig",
        "SFTConfig",
        "RewardConfig",
        "KTOConfig",
        "ORPOConfig",
    }
    for entry in CLASSES.values():
        assert set(entry["tested"]) <= set(TABLE["examined"][entry["library"]])
        assert len(entry["fields"]) > 5
        for changes in entry["fields"].values():
            places = [order[change[0]] for change in changes]
            assert places == sorted(set(places))
            assert all(len(change) in (1, 2) or change[1:] == [None, "computed"] for change in changes)
            assert all(repr(one[1:]) != repr(two[1:]) for one, two in itertools.pairwise(changes))


@pytest.fixture
def tool() -> ModuleType:
    path = Path(__file__).parent / "tools" / "make_defaults.py"
    spec = importlib.util.spec_from_file_location("make_defaults", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


BASE = """
class Kind(Enum):
    ONE = "one"
@dataclass
class TrainingArguments:
    flags: ClassVar[list] = []
    output_dir: str = field(default="out")
    needed: str
    rate: float = field(default={rate}, metadata={{"help": "x"}})
    kind: Kind = Kind.ONE
    names: list = field(default_factory=list)
    default_optim = "a"
    optim: str = default_optim
    guessed: int = os.cpu_count()
"""
OWN = """
from transformers import TrainingArguments
from .inner_config import Base as _Base
class DPOConfig(_Base):
    loss: list = field(default_factory=lambda: ["sigmoid"])
    def __post_init__(self):
        self.bf16 = not (self.fp16) if self.bf16 is None else self.bf16
"""
INNER = """
class Base(TrainingArguments):
    bf16: bool | None = None
    rate: float = -1e-6
"""


def test_the_tool_reads_literals_and_nothing_else(tool: ModuleType, tmp_path: Path) -> None:
    for version, rate in (("4.9.0", "1.0"), ("4.10.0", "1.0"), ("5.0.0", "2")):
        with zipfile.ZipFile(tmp_path / f"transformers-{version}-py3-none-any.whl", "w") as wheel:
            wheel.writestr("transformers/training_args.py", BASE.format(rate=rate))
    with zipfile.ZipFile(tmp_path / "trl-0.9.6-py3-none-any.whl", "w") as wheel:
        wheel.writestr("trl/trainer/dpo_config.py", OWN)
        wheel.writestr("trl/trainer/inner_config.py", INNER)
    tool.CONFIGS = ("DPO",)
    content = json.loads(tool.written(tool.table(tmp_path)))
    assert content["examined"] == {"transformers": ["4.9.0", "4.10.0", "5.0.0"], "trl": ["0.9.6"]}
    assert content["TrainingArguments"]["fields"] == {
        "guessed": [["4.9.0", None, "computed"]],
        "kind": [["4.9.0", "one"]],
        "names": [["4.9.0", []]],
        "optim": [["4.9.0", "a"]],
        "output_dir": [["4.9.0", None, "computed"]],
        "rate": [["4.9.0", 1.0], ["5.0.0", 2]],
    }
    assert content["DPOConfig"]["fields"] == {
        "bf16": [["0.9.6", True]],
        "loss": [["0.9.6", ["sigmoid"]]],
        "rate": [["0.9.6", -1e-06]],
    }
