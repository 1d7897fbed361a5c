# setup: everything that needs no server.  demo, test, check, bench: see README.md
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
# Output of a set-up that goes well is a line a step.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
export PYTHONUNBUFFERED := 1
# A command that outlived make could not be stopped with Ctrl-C.
export CXPLAN_ENDS_WITH_PARENT := 1

.PHONY: setup setup-dev demo serve test check bench messages format

setup: .venv/.runtime
	@$(MANAGE) compile_catalogues
	@$(MANAGE) build_assets

setup-dev: .venv/.development
	@$(MANAGE) compile_catalogues
	@$(MANAGE) build_assets

# The stamps carry the pins they were made from: a touched file installs nothing again.
.venv/.runtime: requirements.txt
	@if ! cmp -s requirements.txt $@; then \
		echo "Making the virtual environment in .venv ..."; \
		test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 \
			|| $(PYTHON) -m venv --clear .venv; \
		echo "Installing packages (minutes the first time, depending on the network) ..."; \
		$(PIP) install -r requirements.txt; \
	fi
	@cp requirements.txt $@

.venv/.development: .venv/.runtime requirements-dev.txt
	@if ! cat requirements.txt requirements-dev.txt | cmp -s - $@; then \
		echo "Installing development tools ..."; \
		$(PIP) install -r requirements-dev.txt; \
	fi
	@cat requirements.txt requirements-dev.txt > $@

demo: setup
	@exec $(MANAGE) demo $(ARGS)

serve: setup
	@exec $(MANAGE) serve

# Whole groups of tests stay on one worker, so that each starts its servers once.
test: setup-dev
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 exec $(BIN)/python -m pytest -n $${CXPLAN_TEST_WORKERS:-auto} --dist loadgroup $(ARGS)

# Each is run even when another fails, so that one run tells everything there is to mend.
CHECKS := check-lint check-format check-templates check-types check-imports check-migrations check-translations

check: setup-dev
	@$(MAKE) --no-print-directory --keep-going $(CHECKS)

.PHONY: $(CHECKS)
check-lint:
	$(BIN)/python -m ruff check .
check-format:
	$(BIN)/python -m ruff format --check .
check-templates:
	$(BIN)/python -m djlint --lint --quiet templates
# The plugin reads the settings, and connects to nothing.
check-types:
	DATABASE_URL=postgresql:///none SECRET_KEY=none $(BIN)/python -m mypy
check-imports:
	$(BIN)/lint-imports
check-migrations:
	$(MANAGE) makemigrations --check --dry-run
check-translations:
	$(MANAGE) check_catalogues

# What the benches compare with is theirs alone, and comes with the first of them.
.venv/.bench: .venv/.development requirements-bench.txt
	@if ! cat requirements.txt requirements-dev.txt requirements-bench.txt | cmp -s - $@; then \
		echo "Installing what the benches compare with ..."; \
		$(PIP) install -r requirements-bench.txt; \
	fi
	@cat requirements.txt requirements-dev.txt requirements-bench.txt > $@

bench: setup-dev .venv/.bench
	@exec $(BIN)/python -m benchmarks $(ARGS)

messages: setup-dev
	@$(MANAGE) messages

format: setup-dev
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .
