# Every target does its own set-up: a machine with Python 3.11 and make is enough.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Tests write where no disk is waited for, if there is room: a kill -9 takes nothing from there either.
FOLDER := $(or $(TMPDIR),$(shell df -k --output=avail,target /dev/shm 2>/dev/null | awk '$$1 > 4000000 && $$2 == "/dev/shm" {print $$2}'),/tmp)
TEST = TMPDIR=$(FOLDER) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --processes $(or $(WORKERS),4)

.DEFAULT_GOAL := help

$(STAMP): setup.cfg pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "natya needs Python 3.11 or newer: make PYTHON=python3.11"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,check,bench]'
	@touch $@

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

.PHONY: install
install: $(STAMP) ## Make the virtual environment and install natya into it

.PHONY: run
run: $(STAMP) ## Trade on paper, on the screen, until Ctrl-C
	@$(BIN)/natya run --profile paper

.PHONY: test
test: $(STAMP) ## Run the tests of all rooms, in four processes (WORKERS=n: in so many; 0: in one, as plain pytest does)
	@# Four keep two cores busy: much of the time a test waits for another thread or for a process of its own. Such a
	@# process must not compile the package anew. In a fresh clone every test is compiled before, on all cores.
	@# What goes wrong there goes wrong in the run again, which tells it.
	@test -d tests/domain/__pycache__ || ls -d tests/*/ | PYTHONDONTWRITEBYTECODE= xargs -P 3 -n 12 \
		$(BIN)/python -m pytest --collect-only -q -p no:cacheprovider >/dev/null 2>&1 || true
	$(TEST) -m "not systems"

.PHONY: test-systems
test-systems: $(STAMP) ## Run the tests that start whole systems, processes and servers, as users do: commands, examples, kills
	$(TEST) -m systems

.PHONY: explore
explore: $(STAMP) ## Run the tests of rules with up to 500 drawn examples each, where the suite draws 30
	$(TEST) \
		--hypothesis-profile explore -m hypothesis --timeout 900

.PHONY: calendar
calendar: $(STAMP) ## Compare the sessions of the exchanges with pandas_market_calendars
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pandas_market_calendars==5.5.0
	$(BIN)/python -m pytest tests/domain/test_calendar.py -q

.PHONY: schemathesis
schemathesis: $(STAMP) ## Ask a paper system whatever its OpenAPI document allows, and forbids, by schemathesis (COUNT=n SEED=n)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check schemathesis==4.32.5
	OPENAPI_EXAMPLES=$(or $(COUNT),40) OPENAPI_SEED=$(or $(SEED),1) $(BIN)/python -m pytest tests/system/test_openapi.py -q

.PHONY: risk-reference
risk-reference: $(STAMP) ## Hold the risk gate against a second opinion over 1,000,000 orders, from a seed (COUNT=n SEED=n)
	RISK_ORDERS=$(or $(COUNT),1000000) RISK_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/python -m pytest tests/orders/test_reference.py --timeout 7200 -q -s

.PHONY: second-opinion
second-opinion: $(STAMP) ## Compare each trade of the examples with plain Python, on every day of the recording beside the project
	SECOND_OPINION_DAYS=1000 $(BIN)/python -m pytest tests/examples/test_second_opinion.py --timeout 600 -q

.PHONY: kills
kills: $(STAMP) ## Kill journal and database, durable delivery, the whole daemon, and a strategy's process, 200 times each
	KILLS=$(or $(KILLS),200) KILLS_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/python -m pytest tests/faults/test_acknowledged.py tests/faults/test_daemon.py \
		tests/faults/test_hosted_strategy.py tests/faults/test_delivered.py -k killed -s

.PHONY: rounds
rounds: $(STAMP) ## Let 200 faults of nine kinds come over three systems, their server and the way to it (COUNT=n HANG_S=n SEED=n)
	ROUNDS=$(or $(COUNT),200) ROUNDS_HANG_S=$(or $(HANG_S),60) ROUNDS_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/python -m pytest tests/faults/test_bridged.py -q -s

.PHONY: swaps
swaps: $(STAMP) ## Swap a strategy, and kill one's process in mid-order, 200 times each (SWAPS=n)
	SWAPS=$(or $(SWAPS),200) $(BIN)/python -m pytest tests/system/test_changing_strategies.py -k often -q -s --timeout 1800

.PHONY: kills-orders
kills-orders: $(STAMP) ## Kill a live daemon 200 times over 10,000 orders at a faulty exchange (COUNT=n ORDERS=n a life SEED=n)
	ORDER_KILLS=$(or $(COUNT),200) ORDER_STOPS=$(or $(STOPS),20) ORDER_KILLS_ORDERS=$(or $(ORDERS),50) \
		ORDER_KILLS_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/python -m pytest tests/faults/test_killed_orders.py -q -s

.PHONY: stops-orders
stops-orders: $(STAMP) ## Stop it 500 times by SIGTERM in mid-order: in 15 s, every order in a known state (COUNT=n SEED=n)
	ORDER_KILLS=0 ORDER_STOPS=$(or $(COUNT),500) ORDER_KILLS_ORDERS=$(or $(ORDERS),8) \
		ORDER_KILLS_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/python -m pytest tests/faults/test_killed_orders.py -q -s

.PHONY: storm
storm: $(STAMP) ## Kill one of four machines of a play, or the server between them, every 5 s for 300 s (SECONDS=n EVERY=n SEED=n)
	$(BIN)/python examples/two_nodes/run.py --storm $(or $(SECONDS),300) --every $(or $(EVERY),5) --seed $(or $(SEED),$(shell date +%s))

.PHONY: corruptions
corruptions: $(STAMP) ## Damage the journal, its audited records, and the database files, 500 times each, from a seed (COUNT=n SEED=n)
	CORRUPTIONS=$(or $(COUNT),500) CORRUPTIONS_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/python -m pytest tests/journal/test_corruption.py tests/database/test_damage.py tests/cli/test_audit.py --timeout 600 -q -s

.PHONY: full-disk
full-disk: $(STAMP) ## Fill a small disk 200 times under the journal, the database, and the whole system (COUNT=n SEED=n)
	FULL_DISK=$(or $(COUNT),200) FULL_DISK_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/python -m pytest tests/faults/test_disk_full.py tests/database/test_faults.py -k full --timeout 900 -q -s

.PHONY: faults
faults: $(STAMP) ## Run the storms of faults at full length (three minutes, on a quiet machine)
	@# A file named beside its own directory would be left out without a word.
	CRASHES=10000 $(BIN)/python -m pytest tests/faults tests/simulation/test_crashes.py \
		-o python_files='test_*.py long_*.py' --capture tee-sys -q -rP --show-capture stdout

.PHONY: sim
sim: $(STAMP) ## Play 1,000 seeds each of the whole paper system and of durable delivery under faults (SEED=n: one of the former, aloud; FIRST=n COUNT=n)
	@PYTHONPATH=tests/simulation:tests/helpers $(BIN)/python -m natya_explore \
		$(if $(SEED),--seed $(SEED),--first $(or $(FIRST),0) --count $(or $(COUNT),1000))
	@$(if $(SEED),,$(MAKE) --no-print-directory sim-events)

.PHONY: sim-events
sim-events: $(STAMP) ## The same of durable delivery alone
	@PYTHONPATH=tests/simulation:tests/helpers $(BIN)/python -m natya_explore --world events \
		$(if $(SEED),--seed $(SEED),--first $(or $(FIRST),0) --count $(or $(COUNT),1000))

.PHONY: sim-dhan
sim-dhan: $(STAMP) ## Play 2,000 seeds of the system at a Dhan that fails in every way (SEED=n: one, aloud; FIRST=n COUNT=n)
	@PYTHONPATH=tests/simulation:tests/helpers $(BIN)/python -m natya_explore --world dhan \
		$(if $(SEED),--seed $(SEED),--first $(or $(FIRST),0) --count $(or $(COUNT),2000))

.PHONY: faulty-broker
faulty-broker: $(STAMP) ## Send 10,000 orders to a Dhan that fails in every way, in virtual time (COUNT=n SEED=n)
	FAULTY_ORDERS=$(or $(COUNT),10000) FAULTY_SEED=$(or $(SEED),$(shell date +%s)) \
		$(BIN)/python -m pytest tests/faults/test_faulty_broker.py -q -s

.PHONY: faulty-feed
faulty-feed: $(STAMP) ## Let each fault of a market feed happen 200 times to one that lives on (COUNT=n)
	FEED_FAULTS=$(or $(COUNT),200) $(BIN)/python -m pytest tests/faults/test_feed_faults.py --timeout 1800 -q

.PHONY: soak-feed
soak-feed: $(STAMP) ## An hour of a live market of 20,000 packets a second that fails every 30 s (SECONDS=n FAULT_S=n RATE=n)
	SECONDS=$(or $(SECONDS),3600) FAULT_S=$(or $(FAULT_S),30) RATE=$(or $(RATE),20000) \
		$(BIN)/python -m pytest tests/faults/long_feed.py -o python_files='long_*.py' --timeout 7200 -q -s

.PHONY: day
day: $(STAMP) ## Play a day of 20,000,000 ticks as fast as it goes: memory flat, descriptors and threads as before (TICKS=n)
	DAY_TICKS=$(or $(TICKS),20000000) \
		$(BIN)/python -m pytest tests/faults/long_day.py -o python_files='long_*.py' --timeout 14400 -q -s

.PHONY: bodies
bodies: $(STAMP) ## Send 10,000 random requests to the paper exchange (COUNT=n)
	WIRE_BODIES=$(or $(COUNT),10000) $(BIN)/python -m pytest tests/exchange/test_wire_hostile.py -k random --timeout 900 -q

.PHONY: conformance
conformance: $(STAMP) ## Run Thespian's own suite on our system base (five minutes)
	@# Unbuffered output breaks one of its tests on every base.
	env -u PYTHONUNBUFFERED PYTHONPATH=tests/conformance:tests/helpers $(BIN)/python -m pytest -c /dev/null -p no:cacheprovider \
		-p natya_conformance --pyargs thespian.test --timeout 120 -q -rfEs

.PHONY: check
check: $(STAMP) ## Lint, format, types of the installed package, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@rm -rf build && $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target build/check .
	cd build/check && $(abspath $(BIN))/mypy --config-file $(CURDIR)/pyproject.toml -p natya
	cd build/check && PYTHONPATH=. $(abspath $(BIN))/lint-imports $(CURDIR)/pyproject.toml

.PHONY: docs
docs: $(STAMP) ## Build the pages of docs/ and their reference into docs/_build/html, without a warning
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs docs/_build/html

.PHONY: format
format: $(STAMP) ## Let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(STAMP) ## Run every benchmark beside its floor, and end with one table (NAMES="bench_actors …"; MARKDOWN=file)
	@$(BIN)/python benchmarks/run.py $(if $(MARKDOWN),--markdown $(MARKDOWN)) $(NAMES)

.PHONY: poison
poison: $(STAMP) ## Deliver 1,000,000 durable events of which one in 100 is poison, and list 100,000 dead letters (COUNT=n LETTERS=n)
	@$(BIN)/python benchmarks/bench_poison.py --events $(or $(COUNT),1000000) --letters $(or $(LETTERS),100000)

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
