# Everything that is done here, by people and by CI alike. `make` lists it.
#
# A stamp in .venv is named after the content of the files it installed from: when a file changes
# it is installed again, when it is only touched it is not.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test lint format types bench assurance services requirements clean
.DELETE_ON_ERROR:

# uv trusts the certificates that this machine trusts.
export UV_SYSTEM_CERTS ?= 1
# Without compiled files each start takes three times as long.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(BIN)/uv
SERVICES := $(PY) scripts/services
SOURCES := $(wildcard src tests bench scripts) scripts/services
WORKERS ?= 2

# The first Python here that is new enough.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)

checksum = $(shell cat $(1) | cksum | tr ' ' '-')
TOOLS := $(VENV)/.tools-$(call checksum,requirements/tools.txt)
RUN := $(VENV)/.run-$(call checksum,requirements/tools.txt requirements/run.txt pyproject.toml)
DEV := $(VENV)/.dev-$(call checksum,requirements/tools.txt requirements/dev.txt pyproject.toml)

help: ## List what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-13s %s\n", $$1, $$2 }'

run: $(RUN) ## Start Lendery with the demo library on http://127.0.0.1:8000 (APP_PORT=8000)
	@mkdir -p var
	@$(BIN)/lendery demo --if-missing
	@$(BIN)/lendery migrate >/dev/null
	@exec $(BIN)/lendery serve

test: lint types ## Lint, types, import contracts, and all tests on real servers (ARGS="-k hold")
	@$(SERVICES) install postgres redis
	@$(SERVICES) install rabbitmq || echo "services: without RabbitMQ its tests are left out" >&2
	@$(SERVICES) run postgres redis -- $(PY) -m pytest -n $(WORKERS) $(ARGS)

lint: $(DEV) ## Check style and the import contracts
	@echo "Style"
	@$(BIN)/ruff check --quiet --output-format concise $(SOURCES)
	@$(BIN)/ruff format --quiet --check $(SOURCES) || { echo "Unformatted files: make format" >&2; exit 1; }
	@echo "Import contracts"
	@$(BIN)/lint-imports --no-logo

types: $(DEV) ## Check types
	@echo "Types"
	@$(BIN)/mypy --strict src
	@MYPYPATH=scripts $(BIN)/mypy --strict --scripts-are-modules scripts/services

format: $(DEV) ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --quiet --fix $(SOURCES) || true
	@$(BIN)/ruff format $(SOURCES)

bench: $(DEV) ## Run the benchmarks against limits measured in the same run (ARGS="checkout")
	@$(SERVICES) install postgres redis pgbench wrk
	@$(SERVICES) run --durable postgres redis pgbench wrk -- $(PY) -m bench $(ARGS)

assurance: $(DEV) ## Run the reliability and security programme at full size: hours
	@$(SERVICES) install postgres
	@$(SERVICES) run --durable postgres -- $(PY) -m tests.assurance $(ARGS)

services: $(DEV) ## Start PostgreSQL and Redis for tests of your own and print their addresses, until Ctrl-C
	@$(SERVICES) install postgres redis
	@$(SERVICES) start postgres redis

requirements: $(TOOLS) ## Write the hashed requirement files again (UPGRADE=1 takes new versions)
	@printf 'uv\nhatchling>=1.25\neditables\n' | $(COMPILE) - --no-annotate -o requirements/tools.txt
	@$(COMPILE) pyproject.toml -o requirements/run.txt
	@$(COMPILE) pyproject.toml --group dev --constraints requirements/run.txt -o requirements/dev.txt
	@git diff --stat -- requirements

COMPILE = $(UV) pip compile --quiet --generate-hashes --no-header --python-version 3.11 --universal \
	$(if $(UPGRADE),--upgrade)

clean: ## Remove what can be made again; the library in var/ stays
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests bench scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# -- The environment -------------------------------------------------------------------------------

NO_PYTHON = Lendery needs Python 3.11 or newer, and none was found.
NO_VENV = $(PYTHON) cannot make an environment: install its venv module (Debian: python3-venv).

# Without ensurepip, as on a bare Debian, the pip of the system installs into the environment.
$(PY):
	@test -n "$(PYTHON)" || { echo "$(NO_PYTHON)" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 \
		|| { $(PYTHON) -m pip --version && $(PYTHON) -m venv --clear --without-pip $(VENV); } >/dev/null 2>&1 \
		|| { rm -rf $(VENV); echo "$(NO_VENV)" >&2; exit 1; }

$(TOOLS): | $(PY)
	@echo "Installing uv"
	@if $(PY) -m pip --version >/dev/null 2>&1; then pip="$(PY) -m pip"; \
		else pip="$(PYTHON) -m pip --python $(PY)"; fi; \
		$$pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@rm -f $(VENV)/.tools-*
	@touch $@

$(RUN): | $(TOOLS)
	@echo "Installing Lendery"
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/run.txt
	@$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.run-*
	@touch $@

$(DEV): | $(RUN)
	@echo "Installing what development needs"
	@$(UV) pip install --quiet --python $(PY) --require-hashes -r requirements/dev.txt
	@rm -f $(VENV)/.dev-*
	@touch $@
