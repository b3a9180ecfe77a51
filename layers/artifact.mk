# What the builds of the layers and of the functions share. SAM runs them in a copy of the folder
# that they build, with ARTIFACTS_DIR as the place to put the result; make knows where this file is.
#
#   RUNTIME       python3.11, python3.12 or python3.13 (the default of the template's Runtime)
#   ARCHITECTURE  arm64 or x86_64 (the default of the template's Architecture)
#
# SAM does not tell make its parameters, so both come from the environment and must agree with them:
#   RUNTIME=python3.12 sam build --parameter-overrides Runtime=python3.12

RUNTIME ?= python3.13
ARCHITECTURE ?= arm64

# The recipes of an outer make (make build) bring its flags along; these need a plain shell.
SHELL := /bin/sh
.SHELLFLAGS := -euc
.DELETE_ON_ERROR:

ROOT := $(dir $(lastword $(MAKEFILE_LIST)))..
VERSION := $(patsubst python%,%,$(RUNTIME))
MACHINE := $(if $(filter arm64,$(ARCHITECTURE)),aarch64,x86_64)

ifeq ($(filter python3.11 python3.12 python3.13,$(RUNTIME)),)
$(error RUNTIME is "$(RUNTIME)", not python3.11, python3.12 or python3.13)
endif
ifeq ($(filter arm64 x86_64,$(ARCHITECTURE)),)
$(error ARCHITECTURE is "$(ARCHITECTURE)", not arm64 or x86_64)
endif

# uv of the project, else of the machine, else pip of the machine's python3.
UV := $(firstword $(wildcard $(ROOT)/.everstep/venvs/uv/bin/uv) $(shell command -v uv 2>/dev/null))

# Byte code is only good for the version that made it. Empty if that version is not on this machine.
INTERPRETER := $(shell "$(ROOT)/tools/find_python.sh" $(VERSION) 2>/dev/null)

# Wheels for Lambda, whatever this machine is: manylinux2014 runs on every runtime named above.
# $(call install,<requirements file>,<more options>)
ifneq ($(UV),)
install = "$(UV)" pip install --quiet --no-config --target "$(ARTIFACTS_DIR)/python" \
	--python-version $(VERSION) --python-platform $(MACHINE)-manylinux2014 \
	--only-binary :all: $(2) --requirement $(1)
else
install = python3 -m pip install --quiet --target "$(ARTIFACTS_DIR)/python" \
	--python-version $(VERSION) --implementation cp \
	--platform manylinux2014_$(MACHINE) --platform manylinux_2_17_$(MACHINE) \
	--only-binary :all: $(2) --requirement $(1)
endif

# Never checked against the sources: those cannot change on Lambda, and the look costs time at every
# start. The warning goes to stdout, because SAM shows nothing else of a build that succeeds.
# $(call compile,<folder of the artifact on Lambda>)
ifneq ($(INTERPRETER),)
compile = "$(INTERPRETER)" -m compileall -q --invalidation-mode unchecked-hash \
	-s "$(ARTIFACTS_DIR)" -p "$(1)" "$(ARTIFACTS_DIR)"
else
compile = echo "WARNING: no $(RUNTIME) found: built without byte code, so cold starts are slower"
endif

# Leave out what only this machine could use, compile the rest, and let Lambda read it.
# $(call finish,<folder of the artifact on Lambda>)
define finish
@find "$(ARTIFACTS_DIR)" -name __pycache__ -type d -prune -exec rm -rf {} +
@rm -rf "$(ARTIFACTS_DIR)/python/bin" "$(ARTIFACTS_DIR)/python/.lock"
@$(compile)
@chmod -R a+rX "$(ARTIFACTS_DIR)"
endef
