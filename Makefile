# `make help` lists the targets. Needs Python 3.10 or newer, pip and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
# pytest's options, for example `make test PYTEST_ARGS="-k gap -x"`.
PYTEST_ARGS ?=
# TensorFlow's remarks on the machine are nobody's news.
export TF_CPP_MIN_LOG_LEVEL ?= 2
# Options of the benchmarks, for example `make benchmark BENCHMARK_ARGS=--only=steps`.
TORCH_PYTHON ?=
BENCHMARK_ARGS ?=
MATRIX_ARGS ?= -n 2 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-slow test-matrix coverage lint format build-files wheel-test \
	conformance benchmark docs clean

help:  ## List the targets.
	@grep -hE '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

venv: $(STAMP)  ## Make the virtual environment .venv; again when setup.py changes.

# Some systems ship Python without `ensurepip`: then pip installs pip.
$(STAMP): setup.py
	$(PYTHON) -m venv $(VENV) || { \
		$(PYTHON) -m venv --clear --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(BIN)/python install pip; }
	$(BIN)/python -m pip install --quiet --editable '.[test,lint,docs]'
	touch $@

demo: $(STAMP)  ## Train on a toy distribution; write runs/demo/index.html.
	$(BIN)/python examples/demo.py --output_dir=runs/demo
	@echo "Open runs/demo/index.html"

# Two processes: tracing and compiling, which most of the time goes to, use one core.
test: $(STAMP)  ## Run the tests, except the slow ones.
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

test-slow: $(STAMP)  ## Run the slow tests alone.
	$(BIN)/python -m pytest -m slow $(PYTEST_ARGS)

# For example `make test-matrix MATRIX_ARGS="--only=2.18 tests/games"`.
test-matrix: $(STAMP)  ## Run the tests on every TensorFlow that is supported.
	$(BIN)/python tools/test_matrix.py $(MATRIX_ARGS)

conformance: $(STAMP)  ## Measure and print the table of properties and models.
	$(BIN)/python -m tests.conformance.table --folder=build/conformance

coverage: $(STAMP)  ## Run the tests and report the lines they leave out.
	$(BIN)/python -m pytest --cov --cov-report=term $(PYTEST_ARGS)

lint: $(STAMP)  ## Check the format, the code, the types and the BUILD files.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tools/build_files.py --check

format: $(STAMP)  ## Rewrite the code in the project's format.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build-files: $(STAMP)  ## Write the BUILD files from the imports.
	$(BIN)/python tools/build_files.py

# The tests run beside nothing but the installed wheel, as a user has it.
wheel-test: $(STAMP)  ## Install the wheel into a new environment and test that.
	rm -rf build/wheel-test
	mkdir -p build/wheel-test/tree
	$(BIN)/python -m build --outdir build/wheel-test/dist
	$(PYTHON) -m venv build/wheel-test/venv
	wheel=$$(echo build/wheel-test/dist/*.whl) && \
		build/wheel-test/venv/bin/python -m pip install --quiet "$$wheel[test]"
	for item in tests examples benchmarks tools pyproject.toml; do \
		if [ -e $$item ]; then cp -R $$item build/wheel-test/tree; fi; done
	cd build/wheel-test/tree && ../venv/bin/python -m pytest $(PYTEST_ARGS)

# Needs a quiet machine and at most 20 minutes on two cores. With TORCH_PYTHON, the
# interpreter of an environment that has PyTorch, the comparison with that is in it.
benchmark: $(STAMP)  ## Measure speed and memory; print the table, write build/performance.md.
	mkdir -p build
	$(BIN)/python benchmarks/performance.py --json=build/performance.json \
		--output=build/performance.md \
		$(if $(TORCH_PYTHON),--torch_python=$(TORCH_PYTHON)) $(BENCHMARK_ARGS)

benchmark-%: $(STAMP)  ## Run another script of benchmarks/ by its name; some take long.
	$(BIN)/python benchmarks/$*.py $(BENCHMARK_ARGS)

docs: $(STAMP)  ## Build the site into build/site, every warning an error.
	$(BIN)/python -m mkdocs build --strict

clean:  ## Remove what the other targets made, except .venv and runs.
	rm -f bazel-*
	rm -rf build dist *.egg-info .coverage htmlcov .pytest_cache .ruff_cache \
		.mypy_cache .hypothesis
	find keras_gamegan tests examples benchmarks tools -name __pycache__ \
		-prune -exec rm -rf {} + 2>/dev/null || true
