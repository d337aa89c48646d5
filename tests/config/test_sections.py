"""The tables of the settings."""

from typing import get_type_hints

import msgspec
import pytest

from natya.config.errors import SettingsError
from natya.config.keys import SECTIONS
from natya.config.loader import load_settings
from natya.config.secrets import Secret
from natya.config.sections.broker import BrokerSettings
from natya.config.sections.feed import FeedSettings
from natya.config.sections.kill_switch import loss_exit_rupees
from natya.config.sections.orders import InstrumentLimits, OrdersSettings
from natya.config.sections.strategy import StrategySettings
from natya.config.sections.supervision import SupervisionSettings

TABLES = pytest.mark.parametrize("table", sorted(SECTIONS))


PRICED = {
    "price_age_max_s",
    "price_collar_percent",
    "option_collar_percent",
    "open_value_max_rupees",
    "gross_value_max_rupees",
    "day_loss_max_rupees",
    "margin_use_max_percent",
}


class TestLimitsOfOrders:
    @pytest.mark.parametrize("limit", [*sorted(PRICED), "orders_a_day_max", "position_max"])
    def test_need_prices_if_one_alone_goes_by_them(self, limit):
        none = OrdersSettings.default(**dict.fromkeys(PRICED, 0.0))

        assert not none.need_prices
        assert msgspec.structs.replace(none, **{limit: 1}).need_prices == (limit in PRICED)


class TestTheLimitsOfAnInstrument:
    @pytest.mark.parametrize(
        ("symbol", "quantity_max", "position_max"),
        [
            ("INFY", 100, 1_000),
            ("NIFTY", 100, 1_000),
            ("SBIN", 20, 1_000),
            ("SBINLIFE", 100, 1_000),
            ("NIFTY-27Oct2026-26000-PE", 75, 150),
            ("NIFTY-29Dec2026-26000-PE", 50, 1_000),
            ("NIFTY-29Dec2026-26000-CE", 150, 1_000),
        ],
    )
    def test_are_its_own_or_of_the_longest_beginning_and_else_those_of_all(self, symbol, quantity_max, position_max):
        own = {
            "SBIN": InstrumentLimits(quantity_max=20),
            "NIFTY-*": InstrumentLimits(quantity_max=75, position_max=150),
            "NIFTY-29Dec2026-*": InstrumentLimits(quantity_max=50),
            "NIFTY-29Dec2026-26000-CE": InstrumentLimits(quantity_max=150),
        }
        limits = OrdersSettings.default(quantity_max=100, position_max=1_000, instruments=own).of_symbol(symbol)

        assert (limits.quantity_max, limits.position_max) == (quantity_max, position_max)


def test_a_strategy_of_which_only_the_class_is_said_has_no_limits_of_its_own_and_runs_on_the_loop():
    strategy = StrategySettings(name="mine", strategy="mine:Mine")

    assert msgspec.structs.asdict(strategy) == {
        "name": "mine",
        "strategy": "mine:Mine",
        "symbols": (),
        "candles": (),
        "parameters": {},
        "position_max": None,
        "orders_in_flight_max": None,
        "host": "loop",
        "turn_limit_s": 10.0,
        "memory_limit_mb": 2048,
    }


class TestTheLossAtWhichTheBrokerClosesAll:
    @pytest.mark.parametrize(
        ("limit", "times", "loss"),
        [(10_000.0, 2.5, 25_000.0), (0.1, 3.0, 0.3), (33.33, 2.01, 66.99), (500.0, 0.0, 0.0)],
    )
    def test_is_so_many_times_the_limit_of_the_day_on_the_paisa(self, limit, times, loss):
        assert loss_exit_rupees(limit, times) == loss


def bounds_of(section):
    """The fields of a section whose numbers have bounds, and these."""
    for name, hint in get_type_hints(section, include_extras=True).items():
        for meta in getattr(hint, "__metadata__", ()):
            if meta.pattern is None and meta.max_length is None:
                yield name, meta


def outside(bounds):
    """The nearest numbers that are too small, or too large, and the one that is none."""
    return (bounds.ge - 1 if bounds.gt is None else bounds.gt, bounds.le + 1, float("nan"))


OTHERWISE = {"system", "journal", "database", "instruments", "log", "orders", "kill_switch"}


class TestATable:
    @TABLES
    def test_has_no_default_but_those_of_the_file(self, table):
        fields = msgspec.structs.fields(SECTIONS[table])

        assert [each.name for each in fields if not each.required] == []

    @TABLES
    def test_is_called_as_the_settings_call_it(self, table):
        assert table == SECTIONS[table].TABLE

    @pytest.mark.parametrize("table", sorted(set(SECTIONS) - OTHERWISE))
    def test_by_default_is_what_the_loader_makes_of_it(self, table):
        """The others have paths of their own, or a line in the file of the profile."""
        assert SECTIONS[table].default() == getattr(load_settings("paper", environment={}), table)

    def test_takes_changes_as_they_are(self):
        changed = BrokerSettings.default(access_token=Secret("t"), orders_max=7)

        assert (changed.access_token.reveal(), changed.orders_max, changed.name) == ("t", 7, "paper")

    def test_has_no_other_field(self):
        with pytest.raises(TypeError, match="speed"):
            SupervisionSettings.default(speed=1)

    @TABLES
    def test_says_whatever_a_file_may_not_say_however_it_is_made(self, table):
        made = getattr(load_settings("paper", environment={}), table)
        assert made.problems() == ()
        for name, bounds in bounds_of(SECTIONS[table]):
            for wrong in outside(bounds):
                (problem,) = msgspec.structs.replace(made, **{name: wrong}).problems()
                assert problem.startswith(f"{table}.{name}: wanted ")

    def test_says_all_that_is_wrong_at_once(self):
        with pytest.raises(SettingsError) as refused:
            SupervisionSettings.default(fail_max=0, restarts_max=-1)

        assert refused.value.problems == (
            "supervision.restarts_max: wanted a whole number from 0 to 9007199254740992, found -1",
            "supervision.fail_max: wanted a whole number from 1 to 9007199254740992, found 0",
        )

    def test_says_what_is_wanted_of_a_text_and_of_a_word(self):
        with pytest.raises(SettingsError) as refused:
            FeedSettings.default(zone="Mars", dates="year-first")

        assert refused.value.problems == (
            "feed.dates: wanted one of nothing, day-first, month-first, found 'year-first'",
            "feed.zone: wanted IST, UTC, +05:30, or nothing, found 'Mars'",
        )
