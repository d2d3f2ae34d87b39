.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Of the packages that the bot runs with; “make sbom” fails for any other. LGPL: psycopg and pygal, which are used as they are.
LICENSES := MIT;BSD;Apache;PSF;Python Software Foundation;Mozilla Public License 2.0;LGPL-3.0-only;LGPLv3+
# Each process of the tests would compile everything again.
export PYTHONDONTWRITEBYTECODE :=
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: .venv/installed ## set up, then play one whole onboarding against the sandbox
	@$(BIN)/onboarding sandbox --play

.PHONY: play
play: .venv/installed ## set up, then play both sides of an onboarding in a browser
	@$(BIN)/onboarding sandbox --web

.PHONY: test
test: format-check lint types unit ## set up, then check format, lint and types, and run all tests

.PHONY: format-check
format-check: .venv/installed-dev
	$(BIN)/ruff format --check .

.PHONY: lint
lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/deptry .
	$(BIN)/bandit --quiet --recursive --severity-level medium bot handlers storage

.PHONY: types
types: .venv/installed-dev
	$(BIN)/mypy

.PHONY: unit
unit: .venv/installed-dev ## run the tests alone, on all cores; the unit tests have to keep their coverage
	$(BIN)/pytest --cov -n auto --dist worksteal

.PHONY: test-crash
test-crash: .venv/installed-dev ## kill the bot at every point of an onboarding (a quarter of an hour)
	$(BIN)/pytest --timeout 0 -m long tests/crash

.PHONY: test-machine
test-machine: .venv/installed-dev ## everybody at everything at once, otherwise each time (half an hour)
	$(BIN)/pytest --timeout 0 -m long tests/machine

.PHONY: test-long
test-long: .venv/installed-dev ## every test on both databases, and all long forms (two hours)
	$(BIN)/pytest -n auto --timeout 0 --all-databases -m ""

.PHONY: test-backlog
test-backlog: .venv/installed-dev ## catch up with a thousand onboardings that were left behind
	BACKLOG=1000 $(BIN)/pytest -s tests/integration/test_backlog.py

.PHONY: answers
answers: .venv/installed-dev ## measure how well questions are answered from the guide
	@$(BIN)/python -m tests.corpora.measure

.PHONY: pictures
pictures: .venv/installed-dev ## take the pictures in docs/pictures again (needs Chromium and Noto fonts with emoji)
	@$(BIN)/python -m tests.browser.pictures

.PHONY: schematics
schematics: .venv/installed-dev ## draw the guide's schematics from their SVG files (needs Chromium)
	@$(BIN)/python -m tests.browser.schematics

.PHONY: bench
bench: .venv/installed-dev ## measure the bot beside a stock slack-bolt app (ten minutes, on a quiet machine)
	@$(BIN)/python -m tests.bench

.PHONY: bench-page
bench-page: .venv/installed-dev ## make docs/performance.md from what “make bench” has measured
	@$(BIN)/python -m tests.bench --write

.PHONY: soak
soak: .venv/installed-dev ## let 200 clients work for five minutes; fails if anything leaks or is missed
	@$(BIN)/python -m tests.bench.soak

.PHONY: format
format: .venv/installed-dev ## format the code and fix what ruff can fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: audit
audit: .venv/installed-dev ## look the dependencies up in a database of vulnerabilities
	@rm -f .venv/audit.json
	@$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock --progress-spinner off \
		--format json --output .venv/audit.json 2>.venv/audit.log; status=$$?; \
		test -s .venv/audit.json || { echo "audit: the database was not reached, or does not know them all: not checked \
	(.venv/audit.log says why)" >&2; exit 3; }; \
		$(BIN)/python -m json.tool .venv/audit.json; exit $$status

.PHONY: sbom
sbom: .venv/installed .venv/installed-dev ## write sbom.json: what the bot consists of (CycloneDX)
	@rm -rf .venv/sbom && $(BIN)/python -m venv --without-pip .venv/sbom
	@$(BIN)/python -m pip --python .venv/sbom/bin/python install --quiet --disable-pip-version-check \
		--require-hashes -r requirements.lock
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON \
		--output-file sbom.json .venv/sbom/bin/python
	@$(BIN)/pip-licenses --python .venv/sbom/bin/python --order license --partial-match \
		--allow-only "$(LICENSES)"

.PHONY: deploy-check
deploy-check: ## let the programs that read the Dockerfile and deploy/ check them; says which it hasn't found
	@rm -rf .venv/deploy && mkdir -p .venv/deploy
	@sed 's#/opt/onboarding/.venv/bin/onboarding#/bin/true#' deploy/onboarding.service > .venv/deploy/onboarding.service
	@sed "s#/etc/letsencrypt/live/onboarding.example.com#$$PWD/.venv/deploy#" deploy/nginx.conf > .venv/deploy/site.conf
	@echo "events {} http { include $$PWD/.venv/deploy/site.conf; }" > .venv/deploy/nginx.conf
	@openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=onboarding.example.com \
		-keyout .venv/deploy/privkey.pem -out .venv/deploy/fullchain.pem 2>.venv/deploy/log
	@check() { command -v $$1 >/dev/null || { echo "$$1: not installed, so not checked"; return 0; }; \
		"$$@" >.venv/deploy/log 2>&1 && echo "$$1: fine" || { cat .venv/deploy/log; exit 1; }; }; \
	check hadolint Dockerfile && \
	check promtool check rules deploy/alerts.yml && \
	check caddy validate --adapter caddyfile --config deploy/Caddyfile && \
	check nginx -t -c "$$PWD/.venv/deploy/nginx.conf" && \
	check systemd-analyze verify .venv/deploy/onboarding.service

.PHONY: lock-check
lock-check: ## see that requirements.lock has wheels for each system and Python (needs uv)
	@for python in 3.11 3.12 3.13 3.14; do for system in x86_64-manylinux_2_28 aarch64-manylinux_2_28 \
		aarch64-apple-darwin; do \
		uv pip install --quiet --dry-run --only-binary :all: --require-hashes --python-version $$python \
			--python-platform $$system --target .venv/lock-check -r requirements.lock \
		&& echo "$$python $$system: complete" || exit 1; done; done

.PHONY: lock
lock: ## pin every dependency, with hashes; with UPGRADE=1 the newest of each (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes $(if $(UPGRADE),--upgrade) --quiet \
		--custom-compile-command "make lock" --group build pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes $(if $(UPGRADE),--upgrade) --quiet \
		--custom-compile-command "make lock" --group dev --constraints requirements.lock \
		pyproject.toml -o requirements-dev.lock

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is older. Try: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP_INSTALL) --require-hashes -r requirements.lock
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	$(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
