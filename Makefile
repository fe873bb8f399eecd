# Each target sets up what it needs: Python 3.11 or newer is all that must be there.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test lint bench docs slow soak mutants release container findings lock clean help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(VENV)/base  ## draw an invented store, find games that look alike, open the page
	$(BIN)/steam-dino demo

# One thread each, since several processes run the tests: OpenBLAS's threads spin while they wait for a core.
# Four processes are too many for two cores only if none of the tests waits, for a browser, a server or a clock.
WORKERS ?= 4
test: $(VENV)/dev  ## run the test suite
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

slow: $(VENV)/dev  ## run the tests that `make test` leaves out because they take long
	$(MAKE) test ARGS="-m slow $(ARGS)"

soak: $(VENV)/dev  ## run the tests that take hours
	$(BIN)/python -m pytest -m soak $(ARGS)

mutants: $(VENV)/torch  ## change the code in small ways and count what the tests notice (hours)
	$(PIP) 'mutmut>=3.8'
	$(BIN)/python benchmarks/mutants.py $(ARGS)

lint: $(VENV)/dev  ## check style, spelling, types, layers
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/torch  ## run the benchmarks
	$(BIN)/python benchmarks/cold_start.py
	$(BIN)/python benchmarks/draft.py
	$(BIN)/python benchmarks/encode.py
	$(BIN)/python benchmarks/neighbours.py
	$(BIN)/python benchmarks/explain.py
	$(BIN)/python benchmarks/serving_cost.py

docs: $(VENV)/dev  ## generate the reference and build the documentation into docs/_build/html
	$(BIN)/python docs/addresses.py
	$(BIN)/python docs/generate.py
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html

release: $(VENV)/release  ## build wheel and sdist, check them, try each in an empty environment
	$(subst $(VENV),$(VENV)/release,$(BIN))/python tools/release.py $(ARGS)

container: $(VENV)/dev  ## build the image without Docker and run it (as root, on Debian; needs buildah, debootstrap, nginx)
	$(BIN)/python tools/try_container.py $(ARGS)

findings:  ## show again what other software does unexpectedly (needs the package index, a quarter of an hour)
	bash tools/findings.sh $(ARGS)

lock:  ## renew the lock files (needs uv and npm)
	uv pip compile pyproject.toml $(LOCK) --group build -o requirements/base.txt
	uv pip compile pyproject.toml $(LOCK) --group build --group dev -c requirements/base.txt -o requirements/dev.txt
	uv pip compile requirements/clients.in $(LOCK) -o requirements/clients.txt
	uv pip compile requirements/release.in $(LOCK) -o requirements/release.txt
	uv pip compile requirements/emulators.in $(LOCK) -o requirements/emulators.txt
	npm install --prefix $(TYPESCRIPT) --package-lock-only --ignore-scripts
	npm install --prefix $(AZURITE) --package-lock-only --ignore-scripts
LOCK := --upgrade --universal --python-version 3.11 --generate-hashes --no-header --quiet

# The generators of API clients and what these clients need, in an environment of their own: openapi-python-client needs
# another Typer than steam-dino does. The tests of the clients skip where this is missing.
TYPESCRIPT := tests/present/web/clients/typescript
$(VENV)/clients: requirements/clients.txt $(TYPESCRIPT)/package-lock.json $(VENV)/python
	$(BIN)/python -m venv $@
	$(subst $(VENV),$@,$(BIN))/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $<
	cp $(TYPESCRIPT)/package.json $(TYPESCRIPT)/package-lock.json $@
	npm ci --prefix $@ --ignore-scripts --no-audit --no-fund
	@touch $@

# What builds and checks a release, in an environment of its own: none of it is needed to develop.
$(VENV)/release: requirements/release.txt $(VENV)/python
	$(BIN)/python -m venv $@
	$(subst $(VENV),$@,$(BIN))/python -m pip --disable-pip-version-check install --quiet --require-hashes -r $<
	@touch $@

# Servers of Azure's and Google's object storage. The tests of these skip where they are missing.
AZURITE := tests/storage/emulators
$(VENV)/emulators: requirements/emulators.txt $(AZURITE)/package-lock.json $(VENV)/python
	mkdir -p $@
	$(PIP) --require-hashes --no-deps --upgrade --target $@/python -r $<
	cp $(AZURITE)/package.json $(AZURITE)/package-lock.json $@
	npm ci --prefix $@ --ignore-scripts --no-audit --no-fund
	@touch $@

# What searches by a picture in browsers, as `export site --picture-search` downloads it. The tests of that skip where it is
# missing.
$(VENV)/onnxruntime-web: src/steamdino/present/export/picture_search/runtime_files.py $(VENV)/dev
	mkdir -p $@
	$$($(BIN)/python -c 'from steamdino.present.export.picture_search.runtime_files import HOW; print(HOW)') --silent --pack-destination $@
	@touch $@

clean:  ## remove what was set up and built
	rm -rf $(VENV) docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "steam-dino needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# The package itself is built with what the lock names, so that nothing unpinned is fetched.
$(VENV)/%: requirements/%.txt pyproject.toml $(VENV)/python
	$(PIP) --require-hashes -r $<
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# What learns and exports: which build of PyTorch fits depends on the machine, so it is pinned without a hash.
$(VENV)/torch: requirements/torch.txt $(VENV)/dev
	$(PIP) -r requirements/torch.txt
	@touch $@
