import io
import re
from decimal import Decimal
from itertools import pairwise
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from natya.cli.views.screen import _amount, line, screen
from natya.messages.market import FeedStatistics
from natya.messages.supervision import ChildStatus, SupervisionTree

ACTORS = ("feed", "orders", "events", "journal", "database", "crossover", "system")


def named(symbol):
    feed = FeedStatistics(ticks=1, candles=0, bad_rows=0, source="s", ended=False, last_prices={symbol: 1.0})
    return SimpleNamespace(running_s=1.0, dead_letters=0, stalls=0, held_by="", statistics={"feed": feed}, tree=None)


def drawn(now, before=None, *, colour=False, width=80, height=24):
    console = Console(
        file=io.StringIO(),
        width=width,
        height=height,
        force_terminal=colour,
        color_system="standard" if colour else None,
    )
    console.print(screen("paper", now, before or now, width=width, height=height))
    return console.file.getvalue()


class TestTheScreen:
    def test_shows_what_every_owner_counts(self, view, position):
        shown = drawn(view(positions=[position()]), view(running_s=60.0, ticks=900))

        for part in (
            "paper · 00:01:02",
            "50 ticks/s",
            "ticks 1,000",
            "recorded 990",
            "TCS",
            "110.50",
            "+10",
            "100.00",
            "+105.00",
            "+5.50",
            "orders 3   fills 2   rejected 1",
            "P&L realized +5.50   unrealized +105.00",
            "journal 40 facts",
            "tick to strategy 12 us, p99 40 us",
            "restarts 6",
            "dead letters 7",
        ):
            assert part in shown

    def test_tells_how_long_the_slowest_strategies_take(self, view):
        now = view()
        one = now.statistics["crossover"]
        slow = msgspec.structs.replace(one, strategy="slow", tick_to_strategy_us_p50=9.0, tick_to_strategy_us_p99=90.0)
        both = msgspec.structs.replace(now, statistics={**now.statistics, "slow": slow})

        assert "tick to strategy 12 us, p99 90 us" in drawn(both)

    def test_names_stalls_when_there_were_any(self, view):
        stalled = msgspec.structs.replace(view(), stalls=3)

        assert "stalls 3" in drawn(stalled)
        assert "stalls 3" in line(stalled, stalled)
        assert "stalls" not in drawn(view())
        held = msgspec.structs.replace(stalled, held_by="bad at bad.py:3 in on_tick")
        assert "stalls 3, held by bad at bad.py:3 in on_tick" in line(held, held)

    def test_says_why_the_database_is_down(self, view):
        held = "/home/trader/.local/state/natya/paper/natya.duckdb is in use by process 4711: " + "and so on " * 100
        down = view(down=held, lag=1_200, prices={f"S{number}": 1.0 for number in range(15)})
        lines = drawn(down).splitlines()

        assert "database down, 1,200 facts behind" in drawn(down)
        assert "process 4711" in " ".join(part.strip("│ ") for part in lines)
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 80
        assert "process 4711" in line(down, down)
        assert "down" not in drawn(view())

    def test_colours_a_price_by_where_it_went(self, view):
        before = view(prices={"UP": 20.0, "DOWN": 20.0, "SAME": 20.0})
        shown = drawn(view(prices={"UP": 21.0, "DOWN": 19.0, "SAME": 20.0}), before, colour=True)

        assert "\x1b[32m21.00" in shown
        assert "\x1b[31m19.00" in shown
        assert "m20.00" not in shown

    @pytest.mark.parametrize("symbols", [0, 1, 11, 12, 500])
    def test_fits_80_columns_and_24_lines(self, view, position, symbols):
        names = [f"A-VERY-LONG-SYMBOL-NAME-{number:06}" for number in range(symbols)]
        prices = dict.fromkeys(names, 123_456.75)
        positions = [position(symbol=name, quantity=-1_000_000, realized="-9999999.99") for name in names]
        lines = drawn(view(prices=prices, positions=positions, orders=10**7, fills=10**7)).splitlines()

        assert len(lines) <= 24
        assert max(map(len, lines)) <= 80

    @given(
        size=st.tuples(st.integers(8, 200), st.integers(1, 60)),
        symbols=st.integers(0, 40),
        down=st.sampled_from(["", "held by process 4711", "and so on " * 50]),
        refused=st.dictionaries(st.sampled_from(["position", "value", "\u202e"]), st.integers(1, 9)),
    )
    def test_fits_whatever_the_terminal_is(self, view, position, size, symbols, down, refused):  # noqa: PLR0913, PLR0917  what a view may show
        width, height = size
        names = [f"SYMBOL-{number:06}" for number in range(symbols)]
        positions = [position(symbol=name, quantity=-1_000_000) for name in names]
        now = view(prices=dict.fromkeys(names, 123_456.75), positions=positions, down=down, refused_by_rule=refused)
        lines = drawn(now, width=width, height=height).splitlines()

        assert len(lines) <= height
        assert max(map(len, lines)) <= width

    def test_of_forty_columns_keeps_the_symbols(self, view, position):
        shown = drawn(view(prices={"RELIANCE": 1_526.7, "TCS": 110.5}, positions=[position()]), width=40)

        assert "RELIANCE" in shown
        assert re.search(r"TCS .*\+10 .*\+105\.00", shown)
        assert "NORMAL" in shown

    def test_has_a_column_from_the_width_on_that_leaves_eight_characters_to_the_symbols(self, view, position):
        now = view(prices={"RELIANCE": 110.5}, positions=[position("RELIANCE")])
        first = {}
        for width in range(80, 17, -1):
            head, row = next(pair for pair in pairwise(drawn(now, width=width).splitlines()) if "symbol" in pair[0])
            first |= {
                each: width
                for each in ("position", "unrealized", "last", "realized", "average")
                if each in head.split()
            }
            assert "RELIANCE" in row

        assert first == {"position": 18, "unrealized": 34, "last": 42, "realized": 52, "average": 61}

    def test_of_eight_lines_keeps_what_matters_most(self, view, position):
        prices = {f"S{number}": 1.0 for number in range(9)} | {"TCS": 110.5}
        shown = drawn(
            view(prices=prices, positions=[position()], down="held by 7", refused_by_rule={"value": 1}), height=8
        )

        for part in (
            "TCS",
            "+105.00",
            "NORMAL",
            "P&L realized +5.50",
            "refused by rule: value 1",
            "held by 7",
            "Ctrl-C",
        ):
            assert part in shown

    def test_of_the_fewest_lines_still_says_what_is_wrong(self, view):
        for height in (2, 3):
            assert "held by 7" in drawn(view(down="held by 7"), height=height)

    def test_of_many_lines_has_room_for_many_symbols(self, view):
        prices = {f"S{number}": 1.0 for number in range(40)}

        assert drawn(view(prices=prices), height=60).count("1.00") == 40

    def test_says_how_many_symbols_it_leaves_out(self, view):
        shown = drawn(view(prices={f"S{number}": 1.0 for number in range(40)}))

        assert shown.count("1.00") + int(shown.partition("and ")[2].split()[0]) == 40

    @pytest.mark.parametrize("absent", ACTORS)
    def test_does_without_an_owner_that_is_busy(self, view, position, absent):
        assert drawn(view(positions=[position()], without=(absent,)))

    def test_shows_no_profit_for_a_position_without_a_price(self, view, position):
        assert "+105.00" not in drawn(view(prices={"INFY": 1.0}, positions=[position()]))

    @given(symbol=st.text(min_size=1, max_size=20))
    def test_is_not_bent_by_any_symbol(self, symbol):
        shown = drawn(named(symbol))

        assert "\x1b" not in shown
        assert len(shown.splitlines()) <= 24


@pytest.mark.parametrize(
    ("amount", "text", "style"), [("1", "+1.00", "green"), ("-1", "-1.00", "red"), ("0", "0.00", "")]
)
def test_an_amount_is_green_or_red_by_its_sign(amount, text, style):
    shown = _amount(Decimal(amount))

    assert (str(shown), str(shown.style)) == (text, style)


WIDE = """\
╭─ natya · paper · 00:01:02 ───────────────────────────────────────────────────╮
│ 50 ticks/s   ticks 1,000   candles 4   bad rows 0   recorded 990             │
│ symbol                         last  position  average  unrealized  realized │
│ INFY                          99.00                                          │
│ ITC                            3.00         0        -        0.00     -2.00 │
│ SBIN                              -        -5   800.00           -      0.00 │
│ TCS                          110.50       +10   100.00     +105.00     +5.50 │
│ orders 3   fills 2   rejected 1   open 0   in doubt 0   NORMAL               │
│ P&L realized +3.50   unrealized +105.00                                      │
│ refused by rule: a 2, value 1,000                                            │
│ restarts 6   dead letters 7   stalls 3, held by bad                          │
│ journal 40 facts   tick to strategy 12 us, p99 40 us                         │
│ database down, 1,200 facts behind: in use                                    │
│ x0 parked: E                                                                 │
│ x1 parked: E                                                                 │
│ x2 parked: E                                                                 │
│ and 2 more: natya tree                                                       │
╰────────────────────────────────────────────────────── Ctrl-C stops in order ─╯
"""
LOW = """\
╭─ natya · paper · 00:01:02 ───────────────────────────────────────────────────╮
│ 50 ticks/s   ticks 1,000   candles 4   bad rows 0   recorded 990             │
│ symbol                         last  position  average  unrealized  realized │
│ SBIN                              -        -5   800.00           -      0.00 │
│ orders 3   fills 2   rejected 1   open 0   in doubt 0   NORMAL               │
│ P&L realized +3.50   unrealized +105.00                                      │
│ refused by rule: a 2, value 1,000                                            │
│ restarts 6   dead letters 7   stalls 3, held by bad                          │
│ database down, 1,200 facts behind: in use                                    │
│ x0 parked: E                                                                 │
│ x1 parked: E                                                                 │
│ x2 parked: E                                                                 │
│ and 2 more: natya tree                                                       │
╰────────────────────────────────────────────────────── Ctrl-C stops in order ─╯
"""
SMALL = """\
╭─ natya · paper · 00:01:02 ─╮
│ orders 3   fills 2         │
│ rejected 1   open 0        │
│ in doubt 0   NORMAL        │
│ P&L realized +3.50         │
│ unrealized +105.00         │
│ database down, 1,200       │
╰──── Ctrl-C stops in order ─╯
"""
BARE = """\
natya · paper · 00:01:02
orders 3   fills 2
rejected 1   open 0
in doubt 0   NORMAL
P&L realized +3.50
unrealized +105.00
refused by rule: a 2, value …
database down, 1,200 facts
"""


class TestAllOfIt:
    @pytest.fixture
    def looks(self, view, position):
        """Everything that there is to show; and a look before it, in which all but the feed was busy."""
        parked = {"state": "PARKED", "host": "loop", "restarts": 0, "breaker": "open", "mailbox_depth": 0}
        children = [ChildStatus(path=f"system/x{n}", last_error="E", handled=0, **parked) for n in range(5)]
        now = view(
            prices={"TCS": 110.5, "INFY": 99.0, "ITC": 3.0},
            positions=[position(), position("ITC", 0, "0", "-2"), position("SBIN", -5, "800", "0")],
            refused_by_rule={"value": 1_000, "a": 2},
            down="in use",
            lag=1_200,
        )
        tree = SupervisionTree(children=tuple(children))
        others = ("orders", "events", "journal", "database", "crossover", "system")
        before = msgspec.structs.replace(view(running_s=60.0, ticks=900, without=others), dead_letters=0)
        return msgspec.structs.replace(now, stalls=3, held_by="bad", tree=tree), before

    @pytest.mark.parametrize(
        ("size", "wanted"),
        [((80, 24), WIDE), ((80, 14), LOW), ((30, 8), SMALL), ((29, 8), BARE)],
        ids=["wide", "low", "small", "bare"],
    )
    def test_is_drawn_as_far_as_there_is_room(self, looks, size, wanted):
        width, height = size
        lines = drawn(*looks, width=width, height=height).splitlines()

        assert [line.rstrip() for line in lines if line.strip()] == wanted.splitlines()

    def test_is_one_line_where_there_is_no_terminal(self, looks):
        assert line(*looks) == (
            "00:01:02  ticks/s 50  ticks 1000  TCS 110.50  INFY 99.00  ITC 3.00  orders 3 fills 2 rejected 1  "
            "refused by rule: a 2, value 1,000  P&L +108.50  restarts 6  dead letters 7  stalls 3, held by bad  "
            "database down, 1,200 facts behind: in use  x0 parked: E  x1 parked: E  x2 parked: E  "
            "and 2 more: natya tree"
        )


class TestTheLine:
    def test_says_the_same_shortly(self, view, position):
        text = line(view(positions=[position()]), view(running_s=60.0, ticks=900))

        assert text == (
            "00:01:02  ticks/s 50  ticks 1000  TCS 110.50  orders 3 fills 2 rejected 1  P&L +110.50  "
            "restarts 6  dead letters 7"
        )

    def test_counts_no_rate_without_an_earlier_view(self, view):
        assert "ticks/s 0 " in line(view(), view())

    @pytest.mark.parametrize("absent", ACTORS)
    def test_does_without_an_owner_that_is_busy(self, view, absent):
        assert line(view(without=(absent,)), view(without=(absent,)))

    @given(symbol=st.text(min_size=1, max_size=20))
    def test_stays_one_line_whatever_the_symbol(self, symbol):
        assert len(line(named(symbol), named(symbol)).splitlines()) == 1
