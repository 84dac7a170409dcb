# Conveyor on this machine. Settings come from the environment, e.g. CONVEYOR_HTTP_PORT=9090 make up
PYTHON ?= python3
RUN := .venv/bin/python -m
LOCK := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help up down status logs clean cluster cluster-down test check lint unit bench chaos failover lock docs
.SUFFIXES:

##@ Run
up: .venv/stack.stamp ## Start everything and print where it is
	@$(RUN) stack up
down: .venv/stack.stamp ## Stop everything, keep the data
	@$(RUN) stack down
status: .venv/stack.stamp ## Show each part
	@$(RUN) stack status
logs: .venv/stack.stamp ## Follow the log (of some parts: make logs PARTS="api worker-1")
	@$(RUN) stack logs $(PARTS)
cluster: .venv/stack.stamp ## Start a Kubernetes cluster (NODES=1..3) and install Conveyor in it, or upgrade it
	@PYTHONPATH=k8s-tests:. $(RUN) node install
cluster-down: .venv/stack.stamp ## End that cluster and leave nothing
	@PYTHONPATH=k8s-tests:. $(RUN) node down
clean: cluster-down ## Remove the data, the cluster, the downloaded daemons, caches and the virtual environment
	@$(RUN) stack clean
	rm -rf .cache .cluster .venv

##@ Develop
test: .venv/dev.stamp ## Run every tier of tests, or some: make test TIERS="lint unit chart stack chaos failover ui cluster"
	@$(RUN) tests.run $(TIERS)
check: .venv/dev.stamp ## Run what is fast: lint, unit and the chart as it is rendered
	@$(RUN) tests.run lint unit chart
lint: .venv/dev.stamp ## Check style, types, imports and spelling
	@$(RUN) tests.run lint
unit: .venv/dev.stamp ## Run the tests that need no process besides pytest
	@$(RUN) tests.run unit
bench: .venv/stack.stamp ## Measure a system of its own, and what people would pick instead beside it
	@$(RUN) bench $(OPTIONS)
chaos: .venv/dev.stamp ## Kill and cut off parts of a system under load for 20 minutes, and count what it loses
	@$(RUN) tests.chaos $(OPTIONS)
failover: .venv/dev.stamp ## Kill, cut off and rob members of a MySQL group 100 times and more, and judge each time
	@$(RUN) tests.failover $(OPTIONS)
lock: .venv/dev.stamp ## Renew requirements/*.txt from pyproject.toml
	@$(LOCK) pyproject.toml -o requirements/runtime.txt
	@$(LOCK) pyproject.toml --group stack -o requirements/stack.txt
	@$(LOCK) pyproject.toml --group dev -o requirements/dev.txt
	@for peer in requirements/peers/*.in; do $(LOCK) $$peer -o $${peer%.in}.txt || exit 1; done
	@$(LOCK) requirements/checkov.in -o requirements/checkov.txt
docs: .venv/dev.stamp ## Renew generated tables and dashboards
	@$(RUN) docs.generate

.venv/%.stamp: requirements/%.txt
	@$(PYTHON) -m stack.bootstrap .venv $<
	@touch $@

help: ## Show this
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
