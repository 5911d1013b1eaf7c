# make demo   train a classifier on photos that come with the installed packages
# make test   everything a change must pass
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo docs test test-slow lint bench dist audit sbom clean

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check
CORES := $(shell $(PYTHON) -c "import os; print(os.cpu_count())" 2>/dev/null || echo 2)
HOW := pyproject.toml constraints.txt

help:
	@echo "make demo       install eyespot into .venv and train a first classifier"
	@echo "make docs       build the documentation as a site into site/"
	@echo "make test       linters, types, layers and tests"
	@echo "make test-slow  the long tests only"
	@echo "make lint       linters, types and layers only"
	@echo "make bench      compare eyespot with other tools (installs them into .venv-bench)"
	@echo "make dist       build wheel and sdist, install the wheel into a new environment, test it"
	@echo "make audit      check the installed packages for known vulnerabilities (needs the network)"
	@echo "make sbom       list the installed packages in dist/eyespot.cdx.json (CycloneDX)"
	@echo "make clean      delete everything that these commands created"

.venv/python:
	@command -v $(PYTHON) >/dev/null || { echo "eyespot needs Python 3.11 or newer, and found no '$(PYTHON)'. Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "eyespot needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name a newer one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@touch $@

.venv/demo: .venv/python $(HOW)
	@echo "Installing eyespot into .venv (once; this takes a minute or two) ..."
	@$(PIP) install -q -e '.[demo,studio]' -c constraints.txt
	@touch $@

.venv/docs: .venv/python $(HOW)
	@echo "Installing eyespot and the documentation tools into .venv (once; this takes a minute or two) ..."
	@$(PIP) install -q -e '.[docs]' -c constraints.txt
	@touch $@

.venv/test: .venv/python $(HOW)
	@echo "Installing eyespot and its test tools into .venv (once; this takes a minute or two) ..."
	@$(PIP) install -q -e '.[demo,heic,camera,export,serve,studio,test,dev]' -c constraints.txt
	@touch $@ .venv/demo .venv/docs

# Browser tests use the system's Chromium; without one they skip, and say so.
.venv/chromium: .venv/test
	@if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests ..."; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 \
			|| echo "Chromium could not be installed: the browser tests will skip."; \
	else echo "No Chromium here: the browser tests will skip."; fi
	@touch $@

# TypeScript checks the pages' scripts, axe the pages. Without npm both checks are skipped.
.venv/node: .venv/python
	@if command -v npm >/dev/null; then \
		npm install --silent --no-audit --no-fund --no-save --prefix .venv typescript@5.9.3 axe-core@4.14.1 \
			|| echo "TypeScript and axe could not be installed: the pages' scripts will not be checked."; \
	else echo "No npm here: the pages' scripts will not be checked."; fi
	@touch $@

# The test of the exported page needs the package that `eyespot export --to web` fetches.
ONNXRUNTIME_WEB := .venv/onnxruntime-web-1.23.2.tgz
$(ONNXRUNTIME_WEB): .venv/python
	@if command -v npm >/dev/null; then \
		npm pack --silent --pack-destination .venv onnxruntime-web@1.23.2 >/dev/null \
			|| echo "onnxruntime-web could not be fetched: the test of the page for the browser will skip."; \
	else echo "No npm here: the test of the page for the browser will skip."; fi

demo: .venv/demo
	$(BIN)/eyespot demo

docs: .venv/docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "The site is in site/. Open site/index.html"

lint: .venv/test .venv/node
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	@if test -x .venv/node_modules/.bin/tsc; then echo tsc; .venv/node_modules/.bin/tsc -p .; fi

test: lint .venv/chromium $(ONNXRUNTIME_WEB)
	@# A crashed process is not restarted: the name of its test would be lost.
	@# Where no compiled Python is kept, each of the hundreds of processes compiles it again. Many
	@# tests wait for processes: one worker more than cores keeps the cores busy.
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/pytest -n $$(( $(CORES) + 1 )) --maxprocesses 4 --dist loadfile --max-worker-restart 0

test-slow: .venv/test .venv/chromium
	$(BIN)/pytest -m slow

.venv-bench/ready: benchmarks/install.sh constraints.txt pyproject.toml
	bash benchmarks/install.sh .venv-bench $(PYTHON)
	@touch $@

bench: .venv/test .venv-bench/ready
	bash benchmarks/run_all.sh .venv-bench

# Release tools have an environment of their own: they pin libraries that the tests need, too.
.venv-release/ready:
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/pip --disable-pip-version-check install -q 'build>=1.2' 'cyclonedx-bom>=7' 'pip-audit>=2.9'
	@touch $@

# The sdist is built first, and the wheel from it.
dist: .venv/python .venv-release/ready
	rm -rf dist
	.venv-release/bin/python -m build --outdir dist
	$(BIN)/python tests/packaging/smoke.py dist/*.whl

audit: .venv/test .venv-release/ready
	.venv-release/bin/pip-audit --skip-editable --path $$($(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")

sbom: .venv/test .venv-release/ready
	mkdir -p dist
	.venv-release/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible --of JSON -o dist/eyespot.cdx.json

clean:
	rm -rf .venv .venv-bench .venv-release demo build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
