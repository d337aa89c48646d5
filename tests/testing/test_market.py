"""The market of a simulation, what tests make one of, and what comes of one: by themselves."""

from collections import Counter
from random import Random

import pytest
from msgspec.structs import replace
from natya_builders import BUILDERS

from natya.actors.runtime.simulation import Faults
from natya.config.loader import load_settings
from natya.domain.time import DAY_NS, SECOND_NS
from natya.messages.market import Candle, Tick
from natya.testing import Simulated, book, candles, ticks
from natya.testing.market import MESSAGES_A_CHUNK, GivenMarket, _SmallChunks, in_order, lasting_s
from natya.testing.scenario import scenario_of

FIRST_NS = 1_704_080_700 * SECOND_NS
MINUTE_NS = 60 * SECOND_NS


class TestBuilders:
    def test_make_a_tick_for_each_price_from_the_opening_of_a_day_on(self):
        first, second = ticks("TCS", [100.0, 101.5], every_s=0.5)

        assert (first.exchange_ns, second.exchange_ns) == (FIRST_NS, FIRST_NS + SECOND_NS // 2)
        assert [(each.symbol, each.price, each.quantity, each.sequence) for each in (first, second)] == [
            ("TCS", 100.0, 1, 1), ("TCS", 101.5, 1, 2)
        ]  # fmt: skip
        assert (second.depth, ticks("TCS", [1.0], with_books=False)[0].depth) == (book(101.5), None)

    def test_make_candles_each_of_which_goes_on_from_the_one_before(self):
        found = candles("TCS", [100.0, 102.0, 101.0], interval="5m", start_ns=7, volume=3)

        assert [(each.open, each.high, each.low, each.close) for each in found] == [
            (100.0, 100.0, 100.0, 100.0), (100.0, 102.0, 100.0, 102.0), (102.0, 102.0, 101.0, 101.0)
        ]  # fmt: skip
        assert [each.start_ns for each in found] == [7, 7 + 5 * MINUTE_NS, 7 + 10 * MINUTE_NS]
        assert {(each.symbol, each.interval_ns, each.volume) for each in found} == {("TCS", 5 * MINUTE_NS, 3)}
        assert candles("TCS", [1.0])[0].start_ns == FIRST_NS

    def test_make_a_book_around_a_price(self):
        found = book(100.0, quantity=7, levels=2, spread_rupees=0.25)

        assert (found.bid_prices, found.ask_prices) == ((100.0, 99.75), (100.25, 100.5))
        assert found.bid_quantities == found.ask_quantities == (7, 7)
        assert found.bid_orders == found.ask_orders == (1, 1)
        assert len(book(1.0).bid_prices) == 5
        uneven = book(100.00004, levels=2, spread_rupees=0.00333)
        assert (uneven.bid_prices, uneven.ask_prices) == ((100.0, 99.9967), (100.0034, 100.0067))


class TestAMarket:
    def test_is_in_the_order_of_times_with_four_ticks_of_each_candle_that_has_none(self):
        made = candles("TCS", [100.0, 102.0], volume=8)
        played = in_order([made[1], *ticks("INFY", [1.0], start_ns=FIRST_NS), made[0]])

        of_tcs = [each for each in played if isinstance(each, Tick) and each.symbol == "TCS"]
        assert [each.price for each in of_tcs] == [100.0] * 4 + [100.0, 100.0, 102.0, 102.0]
        assert [each.volume for each in of_tcs] == [2, 4, 6, 8, 10, 12, 14, 16]
        assert [each.quantity for each in of_tcs] == [2] * 8
        assert all(made[0].start_ns <= each.exchange_ns < made[0].start_ns + MINUTE_NS for each in of_tcs[:4])
        assert sorted(each.exchange_ns for each in of_tcs) == [each.exchange_ns for each in of_tcs]
        assert [each for each in played if isinstance(each, Candle)] == made

    def test_counts_the_shares_of_each_day_and_symbol_anew(self):
        today, other = candles("TCS", [100.0], volume=8), candles("ITC", [9.0], volume=4)
        tomorrow = candles("TCS", [100.0], volume=12, start_ns=FIRST_NS + DAY_NS)
        played = in_order([*today, *other, *tomorrow])

        newest = {(each.symbol, each.exchange_ns // DAY_NS): each.volume for each in played if isinstance(each, Tick)}
        assert sorted(newest.values()) == [4, 8, 12]

    def test_of_a_symbol_with_ticks_has_these_alone(self):
        made, given = candles("TCS", [100.0]), ticks("TCS", [100.0], start_ns=FIRST_NS + MINUTE_NS)

        assert in_order([*given, *made]) == (*made, *given), "a candle is known before the tick of its end"
        assert lasting_s(in_order([*ticks("A", [1.0, 2.0], every_s=2.5)])) == 2.5
        assert lasting_s(()) == 0.0

    def test_is_of_nothing_else(self):
        with pytest.raises(TypeError, match="ticks and candles wanted, found str"):
            in_order(["x"])

    def test_goes_on_from_a_time_with_ticks_that_are_numbered(self):
        given = in_order([*ticks("A", [1.0, 2.0, 3.0]), *candles("A", [1.0], start_ns=FIRST_NS)])
        since_ns = FIRST_NS + SECOND_NS
        (played,) = GivenMarket(given, since_ns).chunks()

        assert [(each.price, each.sequence) for each in played if isinstance(each, Tick)] == [(2.0, 1), (3.0, 2)]
        assert {each.source for each in played} == {f"given-{since_ns}"}
        assert sum(isinstance(each, Candle) for each in played) == 1
        assert list(GivenMarket(given, FIRST_NS + DAY_NS).chunks()) == []

    def test_is_read_ahead_by_little(self):
        given = ticks("A", [1.0] * (2 * MESSAGES_A_CHUNK + 1))
        chunks = list(_SmallChunks(GivenMarket(given, 0)).chunks())

        assert [len(chunk) for chunk in chunks] == [MESSAGES_A_CHUNK, MESSAGES_A_CHUNK, 1]
        assert [each.sequence for chunk in chunks for each in chunk] == list(range(1, len(given) + 1))


class TestAScenario:
    @pytest.fixture(scope="class")
    @classmethod
    def settings(cls):
        return load_settings("paper", environment={}, overrides={"feed.duration_s": 30.0})

    def test_is_of_its_seed(self, settings):
        assert scenario_of(1, settings) == scenario_of(1, settings)
        assert len({scenario_of(seed, settings).faults for seed in range(20)}) > 10

    def test_has_each_fault_in_some_and_none_more_often_than_rarely(self, settings):
        drawn = [scenario_of(seed, settings).faults for seed in range(60)]

        for kind in ("crash", "crash_inside", "lose", "repeat", "delay", "pause", "wall_step"):
            rates = {getattr(faults, kind) for faults in drawn}
            assert min(rates) == 0 < max(rates) <= 0.1, kind
        assert {faults.pause_s_max for faults in drawn} == {0.05, 3.0}
        assert {faults.wall_step_s_max for faults in drawn} == {7_200.0}

    def test_cuts_the_power_while_the_market_lasts_and_not_in_all_of_them(self, settings):
        drawn = [scenario_of(seed, settings) for seed in range(60)]

        assert {len(each.power_cuts) for each in drawn} == {0, 1, 2}
        assert all(0 < cut_s < 30 for each in drawn for cut_s in each.power_cuts)
        brief = replace(settings, feed=replace(settings.feed, duration_s=0.01))
        cuts = [cut_s for seed in range(60) for cut_s in scenario_of(seed, brief).power_cuts]
        assert 0.001 <= min(cuts) < max(cuts) < 0.01
        assert {each.cut_at_disk_action for each in drawn} == {each.exchange_lasts for each in drawn} == {True, False}
        assert {each.database_is_lost for each in drawn} == {True, False}
        assert {len(each.sync_failures) for each in drawn} == {0, 1, 2}

    def test_of_given_faults_has_no_others(self, settings):
        given = scenario_of(3, settings, faults=Faults(lose=0.5))

        assert (given.faults, given.power_cuts, given.sync_failures) == (Faults(lose=0.5), (), ())
        assert given.exchange_lasts

    def test_is_of_a_system_that_restarts_for_ever_on_a_disk_of_its_own(self, settings):
        drawn = [scenario_of(seed, settings).settings for seed in range(60)]
        made = drawn[1]

        assert {each.database.batch_wait_s for each in drawn} == {0.2, 1.0, 5.0}
        assert {each.database.max_connections for each in drawn} == {3}
        assert {each.journal.segment_bytes for each in drawn} == {65_536}
        assert {(each.supervision.backoff_max_s, each.supervision.escalate_after) for each in drawn} == {(1.0, 1_000)}
        assert (made.journal.path, made.supervision.restarts_max) == ("/journal", 1_000_000)
        assert made.orders.checkpoint_facts < settings.orders.checkpoint_facts
        assert replace(made, journal=settings.journal, orders=settings.orders, database=settings.database) == replace(
            settings, supervision=made.supervision
        )


class TestWhatCame:
    def of(self, *facts):
        return Simulated(
            seed=1, facts=facts, failures=(), injected=Counter(), lives=1, last_prices={}, digest=""
        )  # fmt: skip

    def test_has_each_trade_once_as_it_was_told_first(self):
        first, second = (BUILDERS.filled("A-1", quantity=4, trade_id=f"T-{number}") for number in (1, 2))
        again = replace(first, occurred_ns=first.occurred_ns + 1)

        assert self.of(first, second, again).fills == [first, second]

    def test_has_what_is_held_after_each_fill(self):
        random, total, wanted, facts = Random(1), 0, [], []
        for number in range(20):
            side, quantity = random.choice(["BUY", "SELL"]), random.randint(1, 9)
            total += quantity if side == "BUY" else -quantity
            wanted.append(total)
            facts.append(BUILDERS.filled(f"A-{number}", side=side, quantity=quantity, trade_id=f"T-{number}"))
        other = BUILDERS.filled("B-1", symbol="TCS", strategy="other", quantity=3, trade_id="T-B")
        came = self.of(*facts, other)

        assert came.held("INFY") == came.held("INFY", "crossover") == wanted
        assert (came.held("TCS"), came.held("TCS", "crossover"), came.held("INFY", "other")) == ([3], [], [])
        assert came.positions["INFY"].quantity == total
        assert came.positions["TCS"].quantity == 3

    def test_has_orders_and_those_that_were_refused(self):
        intent, refusal = BUILDERS.intent("A-1"), BUILDERS.refusal("A-2")
        came = self.of(intent, refusal)

        assert (came.orders, came.refused) == ([intent], [refusal])
