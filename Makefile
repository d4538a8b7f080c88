# The commands of the README. The first call of any of them builds .venv; later calls find it ready.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: run install test stress soak check bench sizes reference pictures cast docs clean

run: $(READY)
	@if [ -t 0 ] && [ -t 1 ]; then \
		$(BIN)/laddertop train ladder-digits --detach && exec $(BIN)/laddertop attach last; \
	else \
		echo "make run: no terminal here, so the dashboard stays closed and the run trains headless" >&2; \
		exec $(BIN)/laddertop train ladder-digits; \
	fi

install: $(READY)

test: $(READY)
	$(BIN)/python -m pytest

stress: $(READY)
	$(BIN)/python -m pytest -m stress --dist worksteal

soak: $(READY)
	$(BIN)/python -m benchmarks.soak

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python benchmarks/speed.py --short

# What the engine tells of the recipes, for front ends that must not wait for it.
sizes: $(READY)
	$(BIN)/python -m laddertop.engine sizes --recipes > $(VENV)/sizes.json
	mv $(VENV)/sizes.json journal/recipes/sizes.json

# The pages that only repeat the code.
reference: $(READY)
	$(BIN)/python -m docs.reference

# The pictures of the pages, and the moving one: real runs in real terminals. DATA is a folder that holds MNIST.
pictures: $(READY)
	@[ -n "$(DATA)" ] || { echo "name the folder that holds MNIST: make pictures DATA=DIR" >&2; exit 1; }
	$(BIN)/python -m docs.pictures --data-root "$(DATA)"

cast: $(READY)
	$(BIN)/python -m docs.cast

# The documentation as a site: build/site/index.html.
docs: $(READY)
	$(BIN)/python -m docs.site build

clean:
	rm -rf $(VENV)

# The stamp is written last, so that an installation that was cut off starts again.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "laddertop needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $(READY)
