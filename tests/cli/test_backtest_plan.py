"""`natya backtest`: what its options say is in the plan."""

from pathlib import Path

import pytest

from natya.backtest.errors import BacktestRefusedError
from natya.backtest.plan import Plan, since_ns_of, until_ns_of

DEFAULTS = Plan(strategy="x.py", data=(Path("a.csv"),))


@pytest.fixture
def planned(natya, monkeypatch):
    """Return the plan that a command line makes."""

    def plan_of(*words):
        plans = []

        def perform(plan, **_):
            plans.append(plan)
            raise BacktestRefusedError("this is a test")

        monkeypatch.setattr("natya.backtest.result.perform", perform)
        done = natya("backtest", "x.py", "--data", "a.csv", *words)
        assert done.exit_code == 78, done.output
        return plans[0]

    return plan_of


def test_without_options_it_is_that_of_python(planned):
    assert planned() == DEFAULTS


@pytest.mark.parametrize(
    ("words", "field", "value"),
    [
        (("--symbol", "TCS", "--symbol", "INFY"), "symbols", ("TCS", "INFY")),
        (("--from", "2026-01-05"), "since_ns", since_ns_of("2026-01-05")),
        (("--to", "2026-01-06"), "until_ns", until_ns_of("2026-01-06")),
        (("--interval", "5m"), "interval", "5m"),
        (("--set", "fast=7"), "parameters", {"fast": 7}),
        (("--set", "orders.quantity_max=7"), "settings", {"orders.quantity_max": "7"}),
        (("--latency", "1s"), "latency_s", 1.0),
        (("--slippage", "0.05%"), "slippage_percent", 0.05),
        (("--slippage", "2tick"), "slippage_ticks", 2),
        (("--charges", "dhan-options"), "charges", "dhan-options"),
        (("--capital", "50000"), "capital_rupees", 50_000.0),
        (("--config", "natya.toml"), "config", Path("natya.toml")),
        (("--data-dir", "kept"), "data_dir", Path("kept")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_each_option_is_one_field(planned, words, field, value):
    found = planned(*words)

    assert getattr(found, field) == value
    assert [each for each in Plan.__struct_fields__ if getattr(found, each) != getattr(DEFAULTS, each)] == [field]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--train", "5d", "--test", "1d"), "beside --train, --test; found none"),
        (("--by", "net_rupees"), "beside --by; found none"),
        (("--workers", "2"), "beside --workers; found none"),
        (("--engine", "dask"), "beside --engine; found none"),
        (("--cluster", "tcp://host:8786"), "beside --cluster; found none"),
        (("--results", "all.duckdb"), "beside --results; found none"),
        (("--sweep", "fast=1|2", "--data-dir", "kept"), "found both: a sweep keeps no journal"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(natya, words, told):
    refused = natya("backtest", "x.py", "--data", "a.csv", *words)

    assert refused.exit_code == 2
    assert told in refused.stderr
