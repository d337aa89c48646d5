"""The broker's own switch comes last: when nothing is held and nothing open, and again until it is set."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from natya.actors.kill_switch import at_broker
from natya.actors.kill_switch.at_broker import AGAIN_S, DONE, LOOK_S, WAITING, BrokerSwitch, StopDue
from natya.messages.holdings import Position
from natya.messages.kill_switch import KillSwitchStatistics, StopTrading, TradingStopped
from natya.messages.order_listing import OrdersStatistics
from natya.messages.supervision import Unavailable
from natya.messages.system import ActorStatistics, Ping, Pong


def held(quantity):
    return Position(symbol="INFY", quantity=quantity, average_price=Decimal(100), realized_pnl=Decimal(0))


def counts(open_orders=0, positions=()):
    statistics = OrdersStatistics(
        risk_state="HALTED",
        orders=1,
        fills=1,
        rejected=0,
        open_orders=open_orders,
        uncertain_orders=0,
        positions=tuple(positions),
    )
    return Pong(actor="orders", statistics=statistics)


class Host:
    """Keeps what is asked, and what time is set."""

    def __init__(self):
        self.asked, self.timers, self.logged = [], [], []

    def ask(self, target, message, *, timeout_s, then):
        assert timeout_s == {"orders": at_broker.ORDERS_TIMEOUT_S, "broker": at_broker.BROKER_TIMEOUT_S}[target]
        self.asked.append((target, message, then))

    def after(self, seconds, message):
        timer = SimpleNamespace(seconds=seconds, message=message, cancel=lambda: self.timers.remove(timer))
        self.timers.append(timer)
        return timer

    def log(self, event, **fields):
        self.logged.append((event, fields))

    def answer(self, value, error=None):
        target, message, then = self.asked.pop()
        then(SimpleNamespace(value=value, error=error))
        return target, type(message)


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def switch(host):
    made = BrokerSwitch(host)
    made.want()
    return made


class TestTheBrokersSwitch:
    @pytest.mark.parametrize(
        "answer",
        [
            counts(open_orders=1),
            counts(positions=[held(-1)]),
            Unavailable(actor="orders", reason="it restarts", retry_after_s=1.0),
            Pong(actor="orders", statistics=KillSwitchStatistics(engaged=True, looks=1, halts=1)),
            Pong(actor="orders", statistics=ActorStatistics(handled=1, failures=0)),
            None,
        ],
        ids=["an open order", "a position", "unavailable", "other counts", "a book that is still read", "no answer"],
    )
    def test_waits_until_orders_says_that_nothing_is_held_or_open(self, host, switch, answer):
        assert host.answer(answer) == ("orders", Ping)
        assert (switch.told, host.asked) == (WAITING, [])
        (timer,) = host.timers

        assert (timer.seconds, type(timer.message)) == (LOOK_S, StopDue)

    def test_is_asked_for_once_and_is_done(self, host, switch):
        switch.want()
        host.answer(counts(positions=[held(0)]))
        assert host.answer(TradingStopped()) == ("broker", StopTrading)

        assert (switch.told, host.asked, host.timers) == (DONE, [], [])
        assert host.logged == [("kill_switch.at_broker", {"level": "error"})]

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (TradingStopped(problem="a position is open"), "a position is open"),
            (None, "found late"),
            (Unavailable(actor="broker", reason="down", retry_after_s=1.0), None),
        ],
    )
    def test_that_was_not_set_is_told_and_asked_for_again(self, host, switch, answer, reason):
        host.answer(counts())
        host.answer(answer, error=TimeoutError("late"))

        reason = reason or f"found {answer}"
        assert switch.told == f"the broker has not stopped: {reason}"
        assert [timer.seconds for timer in host.timers] == [AGAIN_S]
        assert host.logged == [("kill_switch.not_at_broker", {"level": "error", "reason": reason})]
        switch.look()
        assert host.asked[0][0] == "orders"

    @pytest.mark.parametrize("asked", ["orders", "broker"])
    def test_is_wanted_no_more_once_the_kill_switch_is_off(self, host, switch, asked):
        if asked == "broker":
            host.answer(counts())
        switch.leave()
        host.answer(counts() if asked == "orders" else TradingStopped(problem="x"))

        assert (switch.told, host.asked, host.timers) == ("", [], [])

    def test_that_waits_is_cancelled(self, host, switch):
        host.answer(counts(open_orders=1))
        switch.leave()

        assert host.timers == []

    def test_that_is_asked_for_after_it_was_wanted_no_more_is_asked_for_anew(self, host, switch):
        host.answer(counts(open_orders=1))
        switch.leave()
        switch.look()
        assert (host.asked, switch.told) == ([], "")
        switch.want()
        host.answer(counts())

        assert host.answer(TradingStopped()) == ("broker", StopTrading)

    @pytest.mark.parametrize("asked", ["orders", "broker"])
    def test_that_is_wanted_anew_before_an_answer_asks_for_nothing_twice(self, host, switch, asked):
        if asked == "broker":
            host.answer(counts())
        switch.leave()
        switch.want()
        assert [target for target, *_ in host.asked] == [asked]
        if asked == "orders":
            host.answer(counts())
        host.answer(TradingStopped())

        assert (switch.told, host.asked, host.timers) == (DONE, [], [])

    def test_waits_less_than_the_owner_of_the_switch_for_each(self):
        assert 0 < at_broker.ORDERS_TIMEOUT_S < at_broker.BROKER_TIMEOUT_S
