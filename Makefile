# `make` alone lists the targets. Recipes keep to POSIX sh and to what GNU make 3.81 (macOS) knows.
RUN = .venv/bin/python
# Two at a time, and one file's tests in one process.
TOGETHER = --numprocesses 2 --dist loadfile

.PHONY: help run test trial coverage check lint format types docs bench bench-first fuzz-state bench-state torture-chat torture-net torture-sim bench-chat bench-worlds bench-recovery pictures screenshots conformance clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

run: .venv/.stamp-run ## start a server with the demo; options: make run ARGS='--listen tcp:9000'
	@$(RUN) .ci/foreground.py .venv/bin/twistd --nodaemon --pidfile= meteor $(ARGS)

test: .venv/.stamp-test ## run every test, in real processes and a browser too
	@.ci/system
	@$(RUN) -m pytest $(TOGETHER) --cov --cov-report= $(ARGS)

trial: .venv/.stamp-test ## run every test by trial
	@.ci/system
	@$(RUN) -m twisted.trial $(or $(ARGS),tests)

coverage: .venv/.stamp-test ## check what the last `make test` covered
	@.ci/coverage

check: .venv/.stamp-test ## run the fast tests: no server processes, no browser
	@$(RUN) -m pytest $(TOGETHER) --ignore=tests/e2e $(ARGS)

lint: .venv/.stamp-dev ## check style
	@$(RUN) -m ruff check
	@$(RUN) -m ruff format --check

format: .venv/.stamp-dev ## mend style
	@$(RUN) -m ruff check --fix
	@$(RUN) -m ruff format

types: .venv/.stamp-dev .venv/.stamp-test ## check types
	@$(RUN) -m mypy
	@.ci/types-browser

docs: .venv/.stamp-docs ## build the pages into docs/_build/html
	@$(RUN) -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: .venv/.stamp-test ## measure the server's CPU for each frame sent, beside its peers; needs Node.js and a C compiler
	@$(RUN) -m benchmarks.speed $(ARGS)

bench-first: .venv/.stamp-test ## measure bytes per tick and CPU per client
	@$(RUN) -m benchmarks.first

bench-state: .venv/.stamp-test ## measure the state's bytes and CPU beside its peers; needs Node.js
	@$(RUN) -m benchmarks.state $(ARGS)

torture-chat: .venv/.stamp-test ## kill a server that people talk on, 250 times, and look for lost lines
	@$(RUN) -m benchmarks.chat.kills $(ARGS)

torture-sim: .venv/.stamp-test ## play a million games in which much goes wrong, for hours; a stopped run goes on
	@$(RUN) -m benchmarks.recovery.sim $(ARGS)

torture-net: .venv/.stamp-test ## let 20 players play on bad networks, 3 minutes on each; needs root
	@$(RUN) -m benchmarks.nets $(ARGS)

bench-chat: .venv/.stamp-test ## measure chat that is kept, beside a peer that keeps none
	@$(RUN) -m benchmarks.chat $(ARGS)

bench-worlds: .venv/.stamp-test ## measure large worlds, what players feel, and recordings; needs Node.js and Chromium
	@$(RUN) -m benchmarks.worlds $(ARGS)

bench-recovery: .venv/.stamp-test ## kill clients and servers, and measure the coming back; needs Node.js and Chromium
	@$(RUN) -m benchmarks.recovery $(ARGS)

pictures: .venv/.stamp-test ## redraw the pictures of the page about the state
	@$(RUN) -m docs.pictures

fuzz-state: .venv/.stamp-test ## try 100,000 changed frames of each coding, in Python and in Node.js
	@$(RUN) -m tests.e2e.fuzz $(ARGS)

screenshots: .venv/.stamp-test ## remake the pictures of the README
	@.ci/system
	@$(RUN) -m docs.screenshots

conformance: .venv/.stamp-test ## run kosoku's WebSocket cases against the server protocol
	@$(RUN) -m pytest tests/e2e/test_conformance.py

clean: ## remove what was built and cached; .venv stays
	@rm -rf build dist docs/_build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@rm -rf _trial_temp* .coverage*
	@find meteor_net twisted tests docs benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || :

.venv/.stamp-%: setup.cfg pyproject.toml
	@.ci/install $(filter-out run,$*)
