# What a person types. `make help` lists it.
#
# Two environments, since TensorFlow 2.14 and Snakemake 9 cannot share one (see envs/):
#   .venv                the workflow and every tool but TensorFlow     from envs/workflow.txt
#   .venvs/tensorflow    the network                                    from envs/tensorflow.txt

SHELL := /bin/sh
CORES ?= all
WORKERS ?= 2
UV_VERSION := 0.13.9
UV := .venvs/uv/bin/uv
WORKFLOW := .venv/.made
TENSORFLOW := .venvs/tensorflow/.made
GPU := .venvs/tensorflow-gpu/.made
SNAKEMAKE := envs/run workflow snakemake --logger bandpress --cores $(CORES)
# Tests of a module share what it takes long to make; all those of the workflow share a finished study.
SHARED_OUT := -n $(WORKERS) --dist loadfile
PYTEST_WORKFLOW := envs/run workflow python -m pytest
PYTEST_TENSORFLOW := envs/run tensorflow python -m pytest
STUDY ?= demo
STUDY_FILE = $(if $(filter paper,$(STUDY)),config.yaml,studies/$(STUDY).yaml)
export UV_LINK_MODE ?= copy

.PHONY: help env env-gpu demo report compare reference test test-slow test-long test-matrix test-all check format docs pins clean

help:  ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

env: $(WORKFLOW) $(TENSORFLOW)  ## Make both environments, or bring them up to date.

env-gpu: env $(GPU)  ## Make the environment for training on a GPU as well.

demo: env  ## Run the demo study: real AVIRIS data, a few minutes, everything on one page at the end.
	@$(SNAKEMAKE) --configfile studies/demo.yaml --rerun-incomplete
	@$(MAKE) --no-print-directory report STUDY=demo
	@echo "Page: results/demo/index.html    Figures: results/demo/figures    Numbers: results/demo/rd.csv"

report: env  ## Pack a finished study (STUDY=demo) as a report of Snakemake: results/<study>/report.zip.
	@[ ! results/$(STUDY)/report.zip -nt results/$(STUDY)/index.html ] || exit 0; \
	    $(SNAKEMAKE) --configfile $(STUDY_FILE) --report results/$(STUDY)/report.zip --quiet all

compare: env  ## Compare a study (STUDY=demo) with the reference results and the paper's claims.
	@$(SNAKEMAKE) tables --configfile $(STUDY_FILE) --rerun-incomplete
	@envs/run workflow python scripts/compare.py results/$(STUDY) --reference results/reference/$(STUDY) \
	    --claims results/reference/claims.yaml

reference: env  ## Keep the results of a study (STUDY=demo) as its reference results.
	@$(SNAKEMAKE) --configfile $(STUDY_FILE) --rerun-incomplete
	envs/run workflow python scripts/keep_reference.py results/$(STUDY) --output results/reference/$(STUDY)

test: env  ## Run the tests, but not the slow ones. WORKERS=0: one at a time.
	$(PYTEST_WORKFLOW) $(SHARED_OUT) tests/unit -m "not tensorflow and not slow and not long"
	$(PYTEST_TENSORFLOW) $(SHARED_OUT) tests/unit -m "tensorflow and not slow and not long"
	$(PYTEST_WORKFLOW) $(SHARED_OUT) tests/workflow -m "not slow and not long"

test-slow: env  ## Run the slow tests.
	$(PYTEST_WORKFLOW) $(SHARED_OUT) tests/unit -m "slow and not tensorflow"
	$(PYTEST_TENSORFLOW) $(SHARED_OUT) tests/unit -m "slow and tensorflow"
	$(PYTEST_WORKFLOW) $(SHARED_OUT) tests/workflow -m slow

test-long: env  ## Run tests of many minutes: thousands of hostile files, examples that train.
	$(PYTEST_WORKFLOW) tests/unit -m "long and not tensorflow"
	$(PYTEST_TENSORFLOW) tests/unit -m "long and tensorflow"

test-matrix: env  ## Run the workflow under faults, on Slurm, at scale, from the authors' archives.
	$(PYTEST_WORKFLOW) tests/workflow -m long

test-all: test test-slow test-long test-matrix  ## Run everything.

check: env  ## Check format, lint and types.
	envs/run workflow ruff format --check .
	envs/run workflow ruff check .
	envs/run workflow snakefmt --check Snakefile rules
	envs/run workflow mypy
	envs/run workflow snakemake --lint --configfile studies/demo.yaml
	envs/run workflow snakemake --lint

format: env  ## Format the code.
	envs/run workflow ruff format .
	envs/run workflow ruff check --fix .
	envs/run workflow snakefmt Snakefile rules

docs: env  ## Regenerate docs/commands.md and docs/cards.md from the command line and the networks.
	envs/run workflow python docs/write_commands.py
	envs/run workflow python docs/write_cards.py

pins: $(UV) $(WORKFLOW)  ## Update the versions in envs/ from pyproject.toml.
	$(UV) pip compile -q --python-version 3.11 --upgrade pyproject.toml -o envs/workflow.txt \
	    --extra workflow --extra metrics --extra figures --extra formats --extra data --extra demo --extra test --extra dev
	$(UV) pip compile -q --python-version 3.11 --upgrade pyproject.toml -o envs/tensorflow.txt \
	    --extra tensorflow --extra formats --extra metrics --extra pictures --extra test
	$(UV) pip compile -q --python-version 3.11 --constraint envs/tensorflow.txt pyproject.toml -o envs/tensorflow-gpu.txt \
	    --extra tensorflow --extra formats --extra metrics --extra pictures --extra gpu --extra test
	envs/run workflow python envs/write_yaml.py

clean:  ## Remove the environments and all results of the workflow except downloads.
	rm -rf .venv .venvs .snakemake
	find results -mindepth 1 -maxdepth 1 ! -name README.md ! -name reference -exec rm -rf {} +

$(UV):
	@python=$$(command -v python3.11 || command -v python3) || { \
	    echo "make: neither python3.11 nor python3 was found; Python 3.11 is needed (TensorFlow 2.14 runs on no later one)" >&2; exit 1; }; \
	"$$python" -m venv .venvs/uv && .venvs/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(WORKFLOW): envs/workflow.txt pyproject.toml | $(UV)
	$(call make-environment,.venv,envs/workflow.txt)

$(TENSORFLOW): envs/tensorflow.txt pyproject.toml | $(UV)
	$(call make-environment,.venvs/tensorflow,envs/tensorflow.txt)

$(GPU): envs/tensorflow-gpu.txt pyproject.toml | $(UV)
	$(call make-environment,.venvs/tensorflow-gpu,envs/tensorflow-gpu.txt)

# $(1) folder, $(2) pins
define make-environment
	@[ -x $(1)/bin/python ] || $(UV) venv --quiet --python 3.11 $(1) || { \
	    echo "make: Python 3.11 was not found and could not be installed; TensorFlow 2.14 runs on no later one" >&2; exit 1; }
	@echo "Installing $(2) into $(1)"
	@$(UV) pip sync --quiet --compile-bytecode --python $(1)/bin/python $(2)
	@$(UV) pip install --quiet --no-deps --python $(1)/bin/python --editable .
	@$(1)/bin/python -m bandpress.kernels
	@touch $@
endef
