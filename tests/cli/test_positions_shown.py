"""`natya positions`: what is held, what it is worth at the last prices, and what is said where there is none."""

from decimal import Decimal

import msgspec
import pytest

import natya
from natya.actors.database import MarketDataRepositoryImpl
from natya.cli.book import priced, recorded_prices
from natya.cli.views.orders import PRICES_HEARD, positions_json, positions_text
from natya.messages.holdings import Position
from natya.messages.market import Tick
from natya.messages.order_listing import LastPrice, PositionsRead, StrategyHolding

NOON_NS = 1_791_181_800 * 10**9


def a_position(symbol, quantity, average, realized):
    return Position(
        symbol=symbol, quantity=quantity, average_price=Decimal(average), realized_pnl=Decimal(realized)
    )  # fmt: skip


FOUND = PositionsRead(
    positions=(
        a_position("INFY", 1_500, "100.5", "-12.25"),
        a_position("ITC", 0, "0", "7"),
        a_position("SBIN", 5, "800", "0"),
        a_position("TCS", -20, "3000", "1000.5"),
    ),
    held=(
        StrategyHolding(strategy="a", symbol="INFY", quantity=1_600),
        StrategyHolding(strategy="b", symbol="INFY", quantity=-100),
        StrategyHolding(strategy="a", symbol="TCS", quantity=-20),
    ),
    prices=(
        LastPrice(symbol="INFY", price=101.0, priced_ns=NOON_NS),
        LastPrice(symbol="TCS", price=3_010.0, priced_ns=NOON_NS),
    ),
)


@pytest.fixture
def shown(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")

    def show(found):
        positions_text(found)
        return [line.split() for line in capsys.readouterr().out.splitlines()]

    return show


def test_positions_are_a_table_with_profit_at_the_last_prices_and_a_sum(shown):
    lines = shown(FOUND)
    by_symbol = {line[0]: line for line in lines if line}

    infy, tcs = by_symbol["INFY"], by_symbol["TCS"]
    assert (infy[1:4], infy[-6:]) == (
        ["+1,500", "100.50", "101.00"],
        ["+750.00", "-12.25", "a", "+1,600,", "b", "-100"],
    )
    assert (tcs[1:4], tcs[-4:]) == (["-20", "3,000.00", "3,010.00"], ["-200.00", "+1,000.50", "a", "-20"])
    assert (by_symbol["ITC"][1], by_symbol["ITC"][-1]) == ("flat", "+7.00")
    assert by_symbol["SBIN"][1:3] == ["+5", "800.00"]
    assert ["realized", "+995.25", "rupees,", "before", "charges"] in lines
    assert PRICES_HEARD.split() in lines


def test_no_word_on_prices_where_each_open_position_has_one(shown):
    priced = PositionsRead(positions=FOUND.positions[:2], held=(), prices=FOUND.prices)

    assert PRICES_HEARD.split() not in shown(priced)


def test_no_positions_are_one_sentence(shown):
    assert shown(PositionsRead(positions=(), held=())) == [["no", "positions,", "and", "none", "ever", "held"]]


def test_positions_are_exact_as_json():
    told = positions_json(FOUND)

    assert told["realized_pnl"] == "995.25"
    assert [(each["symbol"], each["unrealized_pnl"], each["last_price"]) for each in told["positions"]] == [
        ("INFY", "750.00", 101.0),
        ("ITC", None, None),
        ("SBIN", None, None),
        ("TCS", "-200.00", 3010.0),
    ]
    assert [each["held_by"] for each in told["positions"]] == [{"a": 1_600, "b": -100}, {}, {}, {"a": -20}]


@pytest.mark.usefixtures("engines")
class TestWhereNoSystemRuns:
    def settings(self, tmp_path):
        return natya.load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path)})

    def test_prices_are_the_newest_that_were_recorded(self, tmp_path):
        ticks = [
            Tick(symbol=symbol, price=price, quantity=1, exchange_ns=NOON_NS + late, source="a", sequence=late)
            for symbol, price, late in (("INFY", 101.0, 1), ("INFY", 102.0, 3), ("INFY", 99.0, 2), ("OTHER", 5.0, 4))
        ]
        with MarketDataRepositoryImpl(tmp_path / "natya.duckdb", create=True) as repository:
            assert repository.save_ticks(ticks).success

        found = recorded_prices(self.settings(tmp_path), ("INFY", "TCS"))

        assert found == (LastPrice(symbol="INFY", price=102.0, priced_ns=NOON_NS + 3),)

    def test_no_price_is_known_without_a_database(self, tmp_path, capsys):
        assert recorded_prices(self.settings(tmp_path), ("INFY",)) == ()
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "natya.duckdb").write_text("something else")
        assert recorded_prices(self.settings(tmp_path), ()) == (), "of nothing it is not looked for"
        assert capsys.readouterr().err == ""

    def test_a_database_that_is_none_is_said_and_hides_no_position(self, tmp_path, capsys):
        (tmp_path / "natya.duckdb").write_text("something else")

        assert priced(FOUND, self.settings(tmp_path)) == msgspec.structs.replace(FOUND, prices=())
        assert "no price is known" in capsys.readouterr().err
