# Everstep: `make` lists what there is to call. Everything that is installed, built or started lands in .everstep/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

STATE := .everstep
VENVS := $(STATE)/venvs
STAMPS := $(STATE)/stamps
UV := $(VENVS)/uv/bin/uv
DEV := $(VENVS)/dev/bin

export UV_CACHE_DIR ?= $(CURDIR)/$(STATE)/cache/uv
export UV_PYTHON_DOWNLOADS := never
export SAM_CLI_TELEMETRY := 0
export SAM_CLI_CHECK_VERSION := 0
# Tools that would otherwise look for a real account find these, and never a person's own profile.
LOCAL_AWS := AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1 \
	AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

say = @printf '\033[1m==> %s\033[0m\n' $(1)

# mypy refuses a folder without Python in it, such as one that is not there yet.
FOLDERS := layers/engine/python layers/workflows/python functions localstack tests bench tools examples
TYPED = $(shell for folder in $(wildcard $(FOLDERS)); do \
	if [ -n "$$(find "$$folder" -name '*.py' -print -quit)" ]; then echo "$$folder"; fi; done)

##@ Set up

.PHONY: setup
setup: $(STAMPS)/dev ## Install the development tools and the package itself (editable)

.PHONY: venv-functions
venv-functions: $(STAMPS)/functions ## Install what function processes on LocalStack import

.PHONY: venv-localstack
venv-localstack: $(STAMPS)/localstack ## Install LocalStack (no Docker) and the project's plugin for it

.PHONY: venv-sam
venv-sam: $(STAMPS)/sam ## Install the SAM CLI

##@ Check

.PHONY: format
format: $(STAMPS)/dev ## Format the code and apply the safe fixes
	$(DEV)/ruff check --fix-only --quiet .
	$(DEV)/ruff format .

.PHONY: lint
lint: $(STAMPS)/dev ## Formatting and lint rules (ruff)
	$(call say,"lint: ruff")
	$(DEV)/ruff format --check .
	$(DEV)/ruff check .

.PHONY: types
types: $(STAMPS)/dev ## Types (mypy --strict)
	$(call say,"types: mypy --strict $(TYPED)")
	$(DEV)/mypy $(TYPED)

.PHONY: imports
imports: $(STAMPS)/dev ## Direction of dependencies (import-linter)
	$(call say,"imports: import-linter")
	$(DEV)/lint-imports --no-logo --cache-dir $(STATE)/cache/imports

.PHONY: template
template: $(STAMPS)/dev $(STAMPS)/sam ## The SAM template (cfn-lint, sam validate)
	$(call say,"template: cfn-lint and sam validate --lint")
	$(DEV)/cfn-lint template.yaml
	$(LOCAL_AWS) $(VENVS)/sam/bin/sam validate --lint --template-file template.yaml

.PHONY: test-fast
test-fast: $(STAMPS)/dev ## Tests without a server, with the coverage floors
	$(call say,"test-fast: pytest without a server")
	@mkdir -p $(STATE)/reports
	$(DEV)/coverage erase
	@# Workers have to agree on the order of sets, which names some tests; the next run has another.
	export PYTHONHASHSEED=$$RANDOM; echo "PYTHONHASHSEED=$$PYTHONHASHSEED"; \
	$(DEV)/coverage run -m pytest -m "not localstack and not sam and not slow" --numprocesses=auto --timeout=180 tests
	$(DEV)/coverage combine --quiet
	$(DEV)/coverage json --quiet -o $(STATE)/reports/coverage.json
	$(DEV)/python -m tools.coverage_floors $(STATE)/reports/coverage.json

.PHONY: check
check: lint types imports template test-fast ## Everything that needs no server: what CI runs first
	$(call say,"check: passed")

.PHONY: check-pythons
check-pythons: $(STAMPS)/dev ## Unit tests on every supported Python that is present
	tools/check_pythons.sh $(UV) $(VENVS)

.PHONY: test
test: $(STAMPS)/dev $(STAMPS)/functions $(STAMPS)/localstack $(STAMPS)/sam ## What needs LocalStack (starts its own, deploys, stops it) or SAM, and slow tests
	$(call say,"test: pytest against a LocalStack of its own")
	$(DEV)/python -m pytest -m "localstack or sam" --timeout=300 tests
	$(call say,"test: slow tests without a server")
	export PYTHONHASHSEED=$$RANDOM; echo "PYTHONHASHSEED=$$PYTHONHASHSEED"; \
	$(DEV)/python -m pytest -m "slow and not localstack and not sam" --numprocesses=auto --timeout=300 tests

.PHONY: soak
soak: $(STAMPS)/dev ## Play the simulation on every processor for ten minutes; SOAK="--help"
	$(DEV)/python -m tools.soak $(SOAK)

.PHONY: mutants
mutants: $(STAMPS)/dev ## Weaken every rule of the protocol in turn: the simulation must notice; MUTANTS="--help"
	$(DEV)/python -m tools.mutants $(MUTANTS)

##@ Run

.PHONY: run
run: $(STAMPS)/dev $(STAMPS)/functions $(STAMPS)/localstack ## Start LocalStack and deploy the whole system to it; RUN="--help"
	PYTHONPATH=localstack $(DEV)/python -m tools.run $(RUN)

.PHONY: stop
stop: $(STAMPS)/localstack ## Stop what `make run` started
	$(VENVS)/localstack/bin/python -m everstep_localstack stop

.PHONY: load
load: $(STAMPS)/dev $(STAMPS)/functions $(STAMPS)/localstack ## Count and price 200 runs of 10 steps on a LocalStack of its own; LOAD="--help"
	PYTHONPATH=localstack $(DEV)/python -m bench.load $(LOAD)

.PHONY: bench
bench: $(STAMPS)/dev $(STAMPS)/functions $(STAMPS)/localstack ## The same workloads here and on the peers, beside one another; BENCH="--help"
	PYTHONPATH=localstack $(DEV)/python -m bench.suite.main $(BENCH)

.PHONY: sam-invoke
sam-invoke: $(STAMPS)/dev $(STAMPS)/functions $(STAMPS)/localstack $(STAMPS)/sam ## Invoke every function as built, by `sam local invoke`; SAM_INVOKE=emulator|skip
	PYTHONPATH=localstack $(DEV)/python -m tools.sam_invoke

.PHONY: record-events
record-events: $(STAMPS)/dev $(STAMPS)/functions $(STAMPS)/localstack ## Record anew what functions are invoked with: events/
	PYTHONPATH=localstack $(DEV)/python -m tools.record_events

##@ Build

# Of Lambda, not of this machine; the defaults are the template's.
RUNTIME ?= python3.13
ARCHITECTURE ?= arm64

.PHONY: build
build: $(STAMPS)/sam ## Build functions and layers for AWS: RUNTIME=python3.13 ARCHITECTURE=arm64
	$(call say,"build: sam build for $(RUNTIME) on $(ARCHITECTURE)")
	$(LOCAL_AWS) RUNTIME=$(RUNTIME) ARCHITECTURE=$(ARCHITECTURE) $(VENVS)/sam/bin/sam build \
		--template-file template.yaml --build-dir $(STATE)/build --cache-dir $(STATE)/cache/sam --cached \
		--parameter-overrides Runtime=$(RUNTIME) Architecture=$(ARCHITECTURE)

.PHONY: configuration
configuration: $(STAMPS)/dev ## Write the tables of docs/reference/configuration.md from the code
	$(DEV)/python -m tools.configuration_page

##@ Deploy

# Only these reach the tools from the command line of make.
export STACK REGION STAGE PROFILE PARAMETERS FORCE

.PHONY: deploy
deploy: $(STAMPS)/dev $(STAMPS)/sam ## Build and deploy to AWS: STACK= REGION= STAGE= PROFILE= PARAMETERS="Name=value …"
	@PYTHONPATH=localstack RUNTIME=$(RUNTIME) ARCHITECTURE=$(ARCHITECTURE) $(DEV)/python -m tools.deploy

.PHONY: destroy
destroy: $(STAMPS)/dev ## Delete a stack; table and bucket stay: STACK= REGION= PROFILE= FORCE=1
	@PYTHONPATH=localstack $(DEV)/python -m tools.destroy

##@ Maintain

.PHONY: lock
lock: $(STAMPS)/uv ## Renew the pinned requirements from pyproject.toml and requirements/*.in
	$(call say,"lock: uv pip compile")
	tools/lock.sh $(UV)

.PHONY: clean
clean: ## Remove what the tools made, but not the virtual environments and not LocalStack's state
	rm -rf $(STATE)/build $(STATE)/cache/imports $(STATE)/cache/sam $(STATE)/reports .aws-sam dist build
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	find . -path ./$(STATE) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@/ { printf "\n\033[1m%s\033[0m\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

# Virtual environments. A stamp is as new as the lock file it was installed from, so a second call does nothing.

$(STAMPS)/uv: requirements/uv.txt
	$(call say,"setup: uv")
	@python="$$(tools/find_python.sh)"; \
	"$$python" -m venv $(VENVS)/uv \
		|| { echo "$$python cannot make a virtual environment (Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@$(VENVS)/uv/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r $<
	@mkdir -p $(@D) && touch $@

$(STAMPS)/dev: requirements/dev.lock pyproject.toml | $(STAMPS)/uv
	$(call say,"setup: development tools")
	@tools/venv.sh $(UV) $(VENVS)/dev requirements/dev.lock
	@$(UV) pip install --quiet --python $(DEV)/python --no-deps --no-build-isolation --editable .
	@mkdir -p $(@D) && touch $@

$(STAMPS)/functions: requirements/functions.lock | $(STAMPS)/uv
	$(call say,"setup: what functions import")
	@tools/venv.sh $(UV) $(VENVS)/functions $<
	@mkdir -p $(@D) && touch $@

$(STAMPS)/localstack: localstack/requirements.lock localstack/pyproject.toml | $(STAMPS)/uv
	$(call say,"setup: LocalStack (takes a minute on a cold cache)")
	@tools/venv.sh $(UV) $(VENVS)/localstack $<
	@$(UV) pip install --quiet --python $(VENVS)/localstack/bin/python --no-deps --no-build-isolation --editable localstack
	@mkdir -p $(@D) && touch $@

$(STAMPS)/sam: requirements/sam.lock | $(STAMPS)/uv
	$(call say,"setup: SAM CLI (340 MB)")
	@tools/venv.sh $(UV) $(VENVS)/sam $<
	@mkdir -p $(@D) && touch $@
