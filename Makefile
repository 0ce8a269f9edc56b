# Two commands matter: 'make run' and 'make test'. 'make help' lists the rest.
# Settings come from the environment or the command line: make run PORT=9000 DATA_DIR=/srv/chat
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh
export VENV ?= .venv
# Some containers forbid it; every worker and every server of the tests would compile everything again.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin

# How many tests run at once, and what else pytest should be told: make test ARGS='-k sign_in'
WORKERS ?= 4
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test compiled faults bench load rolling replicas image-check lint format lock clean venv dev services

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: venv ## start chatapp on http://localhost:8000 (HOST, PORT, DATA_DIR, DATABASE_URL … are honoured)
	@exec $(BIN)/python -m chatapp

# Installing servers waits for the network, types take one core: both at once, and on the side what pytest compiles.
test: dev ## everything: lint, types, tests on PostgreSQL, Redis, nginx, coturn and Chromium
	@$(MAKE) -j3 services lint compiled
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not faults" $(ARGS)

compiled: dev # the tests' own bytecode: else each worker makes all of it. What is wrong, the tests will say.
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null || true

faults: dev services ## the long fault tests: servers and databases die again and again (ten minutes or so)
	@$(BIN)/python -m pytest -m faults --timeout 900 $(ARGS)

bench: dev services ## measure pages, the stream and acknowledgements (five minutes)
	@$(BIN)/python -m benchmarks.foundation
	@$(BIN)/python -m benchmarks.acknowledgements

load: dev services ## load the server with a thousand members and more (an hour; see benchmarks/load.py)
	@$(BIN)/python -m benchmarks.load

image-check: ## build the image without Docker and start it read-only (root, debootstrap, buildah)
	@sh scripts/image_check.sh

rolling: dev services ## restart three processes behind nginx one after another, five times, while people talk
	@$(BIN)/python -m pytest -m faults -rP --show-capture=stderr tests/faults/test_rolling_restart.py $(ARGS)

replicas: dev services ## measure two processes on one database, with Redis and without (two minutes)
	@$(BIN)/python -m benchmarks.replicas

lint: dev ## style and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'."; exit 1; }
	@$(BIN)/mypy

format: dev ## lay the code out
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

lock: ## renew the lock files from pyproject.toml
	@sh scripts/lock.sh

clean: ## remove the environment and caches (never the data)
	@rm -rf $(VENV) .cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@sh scripts/venv.sh runtime

dev:
	@sh scripts/venv.sh dev

services:
	@sh scripts/services.sh
