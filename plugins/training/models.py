"""The model to train: a folder, a GGUF file, a hub id, or a tiny one made on the spot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dpo_report.core.errors import ReportError
from dpo_report.plugins.training.pairs import Pair, text

REFERENCE = "reference"
"""Folder in the run for a starting model that exists nowhere else as a folder (tiny, GGUF)."""
TEMPLATE = (
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] + eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def prepare(model: str, run: Path, pairs: Iterable[Pair], seed: int) -> str:
    """What ``from_pretrained`` takes for the model; tiny ones and GGUF files become a folder in the run first.

    Raises:
        ReportError: there is no such model.
    """
    folder = run / REFERENCE
    if (folder / "config.json").exists() and (model == "tiny" or model.endswith(".gguf")):
        return str(folder)
    if model == "tiny":
        make_tiny(folder, pairs, seed)
        return str(folder)
    path = Path(model)
    if path.is_file():
        if path.suffix != ".gguf":
            raise ReportError(f"{model} is a file, and no GGUF", "give the folder of the model")
        from_gguf(path, folder)
        return str(folder)
    if path.is_dir():
        if not (path / "config.json").exists():
            raise ReportError(f"{model} holds no model (no config.json)", "give the folder that save_pretrained wrote")
        return model
    if path.suffix == ".gguf" or path.is_absolute() or model.count("/") > 1 or model.startswith("."):
        raise ReportError(f"there is no model {model}", "give a folder, a GGUF file, a hub id, or tiny")
    return model


def short(model: str) -> str:
    """A model's name without the folders of this machine."""
    return Path(model).name if Path(model).exists() else model


def load(name: str, **options: Any) -> tuple[Any, Any]:
    """Model (fp32) and tokenizer of a folder or hub id.

    Raises:
        ReportError: it cannot be had or read.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32, **options)
    except Exception as error:  # its own, the hub client's and the transport's kinds; each is one line for the user
        why = " ".join(str(error).split())[:200]
        if Path(name).is_dir():
            raise ReportError(f"the model in {name} cannot be loaded: {why}", "is the folder complete?") from None
        hint = f"no folder of that name is here, and the hub said: {why}"
        raise ReportError(f"the model {name} can be had neither here nor from the hub", hint) from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return model, tokenizer


def from_gguf(path: Path, folder: Path) -> None:
    """Unpack a GGUF file into a model folder in fp32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from dpo_report.plugins.training.needed import need

    need("gguf")
    try:
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
    except Exception as error:  # what a broken or unknown file raises is not documented
        why = " ".join(str(error).split())[:200]
        raise ReportError(f"{path} cannot be unpacked: {why}", "give the model as a folder") from None
    vars(model.config).pop("quantization_config", None)
    plain = type(model)(model.config)
    tied = bool(getattr(model.config, "tie_word_embeddings", False))
    weights = {name: value for name, value in model.state_dict().items() if not (tied and name == "lm_head.weight")}
    plain.load_state_dict(weights, strict=not tied)
    plain.tie_weights()
    plain.generation_config = model.generation_config
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def make_tiny(folder: Path, pairs: Iterable[Pair], seed: int) -> None:
    """A GPT-2 of about 0.1 million parameters, and a byte-level tokenizer trained on the pairs."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    parts = [text(part) for pair in pairs for part in pair.columns().values()]
    special = ["<|endoftext|>", "<|pad|>", "<|system|>", "<|user|>", "<|assistant|>"]
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=512, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    raw.train_from_iterator(parts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=raw, bos_token=special[0], eos_token=special[0], pad_token=special[1], model_max_length=1024
    )
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=1024,
        n_embd=64,
        n_layer=2,
        n_head=2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def weights_hash(folder: Path) -> str:
    """SHA-256 over the weight files of a model folder, in the order of their names; empty where there are none."""
    files = sorted([*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")])
    if not files:
        return ""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 22):
                digest.update(chunk)
    return digest.hexdigest()
