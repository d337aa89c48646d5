"""What people are told of orders and of the tree of actors, word by word."""

import io

import pytest
from natya_builders import BUILDERS as MAKE
from rich.console import Console

from natya.cli.views.order_life import _why, _words
from natya.cli.views.orders import orders_text, state, terms
from natya.cli.views.tree import tree_table
from natya.messages.order_listing import OrderListed, OrdersRead, ReadOrders
from natya.messages.orders import OrderCancelled
from natya.messages.supervision import ChildStatus, SupervisionTree

MORNING_NS = 1_767_325_500 * 10**9


def an_order(**fields):
    usual = {"client_order_id": "A-1", "strategy": "s", "symbol": "INFY", "side": "BUY", "quantity": 1_000}
    stands = {"order_type": "MARKET", "state": "ACCEPTED", "is_open": True, "occurred_ns": MORNING_NS}
    return OrderListed(**usual | stands | fields)


class TestAnOrder:
    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({}, "BUY 1,000 MARKET"),
            ({"side": "SELL", "order_type": "LIMIT", "limit_price": 1_500.0}, "SELL 1,000 LIMIT 1,500.00"),
            (
                {"order_type": "STOP_LIMIT", "limit_price": 99.5, "trigger_price": 99.0, "validity": "IOC"},
                "BUY 1,000 STOP_LIMIT 99.50 trigger 99.00 IOC",
            ),
            ({"order_type": None, "product": "INTRADAY"}, "BUY 1,000 INTRADAY"),
        ],
    )
    def test_has_its_terms_in_the_order_in_which_they_are_said(self, fields, told):
        assert terms(an_order(**fields)) == told

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({}, "ACCEPTED"),
            ({"state": "PART_FILLED", "filled": 400}, "PART_FILLED 400 of 1,000"),
            ({"cancellation": "REQUESTED"}, "ACCEPTED, cancelling"),
            ({"cancellation": "IN_DOUBT", "filled": 1}, "ACCEPTED 1 of 1,000, cancelling"),
            ({"cancellation": "REFUSED"}, "ACCEPTED"),
        ],
    )
    def test_stands_as_it_does(self, fields, told):
        assert state(an_order(**fields)) == told


class TestAList:
    @pytest.fixture
    def told(self, capsys, monkeypatch):
        monkeypatch.setenv("COLUMNS", "200")

        def tell(*orders, is_complete=True, accounts=(0,)):
            orders_text(OrdersRead(orders=orders, is_complete=is_complete, account=0, accounts=accounts), ReadOrders())
            return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

        return tell

    def test_is_a_line_an_order(self, told):
        assert told(an_order(reason="too many")) == [
            "time                     id   strategy  symbol  order             state     reason",
            "2026-01-02 09:15:00 IST  A-1  s         INFY    BUY 1,000 MARKET  ACCEPTED  too many",
        ]

    def test_that_is_cut_off_or_of_one_account_of_several_says_so(self, told):
        assert told(an_order(), is_complete=False)[-1] == "only the newest 1: --at-most"
        assert told(an_order(), accounts=(0, 1))[0] == "account 0; orders of others: --account 1"


class TestTheTree:
    def child(self, path, **fields):
        usual = {"state": "RUNNING", "host": "loop", "restarts": 0, "breaker": "closed", "mailbox_depth": 0}
        return ChildStatus(**{"path": path, "last_error": "", "handled": 0, **usual, **fields})

    def drawn(self, tree):
        console = Console(file=io.StringIO(), width=160, color_system=None)
        console.print(tree_table(tree))
        styles = {each.text.strip(): str(each.style) for each in console.render(tree_table(tree)) if each.style}
        return [line.rstrip() for line in console.file.getvalue().splitlines()], styles

    def test_is_a_line_an_actor_with_what_is_wrong_of_it(self):
        children = (
            self.child("system"),
            self.child("system/journal", trouble="a slow disk", mailbox_depth=7, conflated=9, dropped=2),
            self.child("system/broker", state="PARKED", restarts=3, breaker="open", last_error="E", raised_at="b.py:3"),
            self.child("system/feed", state="STARTING", last_error="F"),
        )
        lines, styles = self.drawn(SupervisionTree(children=children))

        assert lines == [
            "actor        state     host  restarts  breaker                               mailbox  trouble, last error",
            "system       RUNNING   loop         0  closed                                      0",
            "├── journal  RUNNING   loop         0  closed   7, 0 handled, 9 conflated, 2 dropped  a slow disk",
            "├── broker   PARKED    loop         3  open                                        0  E at b.py:3",
            "└── feed     STARTING  loop         0  closed                                      0  F",
        ]
        found = [styles[text] for text in ("PARKED", "STARTING", "3", "open", "closed", "E at b.py:3")]
        assert found == ["bold red", "yellow", "yellow", "bold red", "dim", "red"]
        assert styles["7, 0 handled, 9 conflated, 2 dropped"] == "yellow"

    def test_has_a_running_actor_green_and_yellow_where_it_has_trouble(self):
        well, troubled = (self.drawn(SupervisionTree(children=(self.child("a", trouble=t),)))[1] for t in ("", "t"))

        assert (well["RUNNING"], troubled["RUNNING"]) == ("green", "yellow")

    def test_says_who_held_the_loop(self):
        lines, _ = self.drawn(SupervisionTree(children=(self.child("a"),), stalls=2, last_stall="bad"))

        assert " ".join(lines[2:]) == "the event loop was held too long 2 times, last by bad"


class TestAFact:
    @pytest.mark.parametrize(
        ("fact", "told"),
        [
            (
                MAKE.intent("A-1", quantity=1_000, order_type="STOP_LIMIT", limit_price=1_500.0, trigger_price=99.0),
                "INTENDED BUY 1,000 INFY STOP_LIMIT at 1,500.00, trigger 99.00 for crossover: every rule passed; one ",
            ),
            (MAKE.accepted("A-1", "B-1"), "ACCEPTED by the broker as B-1"),
            (MAKE.filled("A-1", quantity=4), "FILLED 4 at 100.00 (trade T-1), 4 so far"),
            (MAKE.cancelled("A-1"), "CANCELLED: asked"),
            (OrderCancelled(client_order_id="A-1", reason="", occurred_ns=1), "CANCELLED: no reason told"),
            (MAKE.expired("A-1"), "EXPIRED: "),
            (MAKE.rejected("A-1"), "REJECTED: "),
        ],
        ids=lambda each: type(each).__name__ if not isinstance(each, str) else "",
    )
    def test_is_a_sentence(self, fact, told):
        assert _words(fact, None, _why((), "")).startswith(told)
