# Everything a person or the CI does with a checkout. The first target installs what the others need.

PY   ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
          $(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)) python3)
VENV ?= .venv
BIN  := $(VENV)/bin
STAMP := $(VENV)/.installed
export VENV

# For tools that load the settings and touch no server.
OFFLINE := SECRET_KEY=none VAULT_KEYS=1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= SITE_URL=http://localhost:8000 \
           DATABASE_URL=postgres://nobody@127.0.0.1:1/none REDIS_URL=redis://127.0.0.1:1/0
COMPILE := $(BIN)/python -m uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: run test check lint types migrations imports locks lock format clean
.DEFAULT_GOAL := run

$(STAMP): requirements/dev.lock requirements/bootstrap.lock
	@$(PY) portal/launcher/install.py

run: $(STAMP)          ## the whole demo: servers, web, worker, clock and vendor sandboxes
	@exec $(BIN)/python manage.py up

test: $(STAMP)         ## all tests; what needs a browser is skipped where there is none
	@$(BIN)/python -m $(if $(ARGS),pytest $(ARGS),tests)

check: lint types migrations imports locks   ## what has to hold before a commit

lint: $(STAMP)
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .

format: $(STAMP)
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

types: $(STAMP)
	@$(OFFLINE) $(BIN)/python -m mypy

migrations: $(STAMP)   # the models and their migrations agree
	@DATABASE_ROLE= $(BIN)/python manage.py makemigrations --check --dry-run

imports: $(STAMP)      # the floors of the house
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command as main; main()'

locks:                 # names, versions and hashes only: no address, no option, no path
	@! grep -nE '://|file:|^--[^h]|^/| @ ' requirements/*.lock

lock: $(STAMP)         ## compiles the locks anew from pyproject.toml
	$(COMPILE) pyproject.toml                                -o requirements/production.lock
	$(COMPILE) pyproject.toml --group embedded               -c requirements/production.lock -o requirements/run.lock
	$(COMPILE) pyproject.toml --group embedded --group dev   -c requirements/run.lock -o requirements/dev.lock
	$(COMPILE) requirements/bootstrap.in                     -o requirements/bootstrap.lock
	@$(MAKE) --no-print-directory locks

clean:                 ## forgets the demo's data and what was installed
	@if test -x $(BIN)/python; then $(BIN)/python -m portal.launcher.clean; else rm -rf .local; fi
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
