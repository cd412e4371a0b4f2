# Everything a newcomer types. `make` alone lists it. Needs python3 and make; the rest is fetched on first use.
.DEFAULT_GOAL := help
.PHONY: help run demo test lint soak year bench lock build clean

PYTHON ?= python3
SETUP := $(PYTHON) -B ops/bootstrap.py
# Where Chromium and PostgreSQL were found: written by the set-up, read by every recipe that starts them.
WITH_TOOLS := set -a && . ./.venv/tools.env && set +a &&
BIN := .venv/bin
SOAK_KILLS ?= 10000
OUT ?= out

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## set everything up and run the service on the practice network, until Ctrl-C
	@$(SETUP) run
	@$(WITH_TOOLS) exec $(BIN)/moderator run --demo $(ARGS)

demo: ## the whole job once, offline; the result lies in out/ (OUT=, ARGS="--comments FILE")
	@$(SETUP) run
	@$(WITH_TOOLS) exec $(BIN)/moderator demo --once --out $(OUT) $(ARGS)

test: ## set everything up, then lint, the built wheel, and every test with its coverage floors
	@$(SETUP) test
	@$(WITH_TOOLS) exec $(BIN)/python -B ops/check.py test $(ARGS)

lint: ## ruff, mypy and the import order
	@$(SETUP) dev
	@exec $(BIN)/python -B ops/check.py lint

soak: ## the long kill test: SOAK_KILLS=10000 random SIGKILLs
	@$(SETUP) test
	@$(WITH_TOOLS) SOAK_KILLS=$(SOAK_KILLS) exec $(BIN)/python -m pytest tests/kill -m soak -q $(ARGS)

year: ## a simulated school year of twenty schools: every mail once (YEAR_SEED= chooses another)
	@$(SETUP) test
	@$(WITH_TOOLS) YEAR=1 exec $(BIN)/python -m pytest tests/mail/test_school_year.py -m soak -s -q $(ARGS)

bench: ## measure against the limits and write bench.json (NAME=verify runs one)
	@$(SETUP) test
	@$(WITH_TOOLS) exec $(BIN)/python -B ops/bench/run.py $(NAME)

lock: ## pin every dependency again, with hashes
	@$(SETUP) dev
	@exec $(BIN)/python -B ops/lock.py $(ARGS)

build: ## build the wheel into dist/
	@$(SETUP) dev
	@exec $(BIN)/python -m hatchling build --target wheel

clean: ## remove what set-up, tests and builds left here; records in run/ and out/ stay
	rm -rf .venv .cache dist bench.json htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
