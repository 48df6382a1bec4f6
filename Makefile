# Every command of the project; `make help` lists them.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := .venv/bin
# --no-deps because tensorflow-serving-api requires another TensorFlow than ours (see
# pyproject.toml); the lock files are complete.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	--no-deps
# The first Python in the range that pyproject.toml allows.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	2>/dev/null && { echo $$p; break; }; done)

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: setup
setup: .venv/.setup ## create .venv with the locked packages

.venv/.setup: requirements.lock | .venv/bin/python
	@echo "installing the locked packages into .venv (takes minutes the first time)"
	@$(PIP) -r requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock | .venv/bin/python
	@echo "installing the locked packages, including those for development, into .venv"
	@$(PIP) -r requirements-dev.lock
	@touch $@ .venv/.setup

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed"; exit 1; }
	@$(PYTHON) -m venv .venv || { \
		echo "the venv module is missing; on Debian: apt-get install python3-venv"; \
		rm -rf .venv; exit 1; }

.PHONY: run
run: setup ## serve models/ on http://localhost:5000
	@exec $(BIN)/python app.py

# Number of test processes; 0 runs everything in one.
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadgroup

.PHONY: test
test: .venv/.dev ## the tests without the marks full and long; JOBS=1: in one process
	@tests/system-packages.sh
	@echo "testing in $(JOBS) processes; skipped parts are listed at the end"
	@$(PYTEST) -m "not full and not long"

.PHONY: test-full
test-full: .venv/.dev ## the tests marked full, which .ci/run runs after make test
	@tests/system-packages.sh
	@$(PYTEST) -m full

.PHONY: test-all
test-all: .venv/.dev ## every test, with branch coverage; takes almost an hour
	@tests/system-packages.sh
	@$(PYTEST) --cov --cov-report=term-missing

.PHONY: check
check: .venv/.dev ## lint, types, import fences
	@echo "format: ruff format --check"
	@$(BIN)/ruff format --check --quiet .
	@echo "lint: ruff check"
	@$(BIN)/ruff check --quiet .
	@echo "types: mypy --strict"
	@$(BIN)/mypy
	@echo "imports: lint-imports"
	@$(BIN)/lint-imports --no-logo

.PHONY: bench
bench: .venv/.dev ## compare with other servers, 25 minutes; ARGS=--quick: under five
	@$(BIN)/python -m bench $(ARGS)

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url pyproject.toml

.PHONY: lock
lock: ## resolve pyproject.toml into the lock files (needs uv)
	@$(COMPILE) --extra tensorflow --extra openvino --extra gateway -o requirements.lock
	@$(COMPILE) --extra openvino -c requirements.lock -o requirements-slim.lock
	@$(COMPILE) --extra gpu --extra openvino --extra gateway -c requirements-slim.lock \
		-o requirements-gpu.lock
	@$(COMPILE) --extra gateway -c requirements.lock -o requirements-gateway.lock
	@$(COMPILE) --extra tensorflow --extra openvino --extra gateway --group dev \
		-c requirements.lock -o requirements-dev.lock

.PHONY: proto
proto: .venv/.dev ## compile the messages of the gateway and TensorFlow Serving
	@$(BIN)/python -m grpc_tools.protoc --proto_path=. --python_out=. --pyi_out=. \
		facenality/engines/tf_serving/prediction.proto

.PHONY: train
train: .venv/.dev ## retrain models/digits
	@$(BIN)/python models/digits/train.py

.PHONY: screenshots
screenshots: .venv/.dev ## take screenshots of the page in its states
	@tests/system-packages.sh
	@$(BIN)/python docs/screenshots.py

.PHONY: architectures
architectures: .venv/.dev ## serve every network of keras.applications, compare with Keras
	@$(BIN)/python -m bench.architectures

.PHONY: overload
overload: .venv/.dev ## load of 0.8, 2 and 10 times a model's capacity
	@$(BIN)/python -m bench.overload

.PHONY: soak
soak: .venv/.dev ## half an hour of mixed load, to find leaks; SOAK_MINUTES=5 is shorter
	@$(BIN)/python -m bench.soak

.PHONY: fuzz
fuzz: .venv/.dev ## a million broken pictures, bodies, heads and cards; resumes where it stopped
	@$(BIN)/python tests/fuzzing.py

.PHONY: openapi-fuzz
openapi-fuzz: .venv/.dev ## compare the server with /openapi.json; EXAMPLES=1000 per operation
	@$(BIN)/python tests/conforming.py
