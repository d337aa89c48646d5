"""Statistics as actors give them, and views of a system that has them."""

import pytest

from natya.actors.observability import View
from natya.messages.broker import BrokerStatistics
from natya.messages.health import Timing
from natya.messages.holdings import Position
from natya.messages.order_listing import OrdersStatistics
from natya.messages.supervision import ChildStatus, SupervisionTree


def a_child(path, **changes):
    fields = {"state": "RUNNING", "host": "loop", "restarts": 0, "breaker": "closed", "mailbox_depth": 0}
    return ChildStatus(**{"path": path, "last_error": "", **fields, **changes})


def the_orders(**changes):
    counts = {"orders": 0, "fills": 0, "rejected": 0, "open_orders": 0, "uncertain_orders": 0}
    return OrdersStatistics(**{"risk_state": "NORMAL", "positions": (), **counts, **changes})


def the_broker(**changes):
    counts = {"placed": 0, "refused": 0, "in_doubt": 0, "reports": 0}
    return BrokerStatistics(**{"broker": "paper", **counts, **changes})


@pytest.fixture
def a_view():
    def view(*children, **statistics):
        own = (a_child("system/journal"), a_child("system/orders"), a_child("system/strategies"))
        replaced = {each.path for each in children}
        tree = SupervisionTree(children=(*(each for each in own if each.path not in replaced), *children))
        return View(tree=tree, statistics={"orders": the_orders(), **statistics})

    return view


@pytest.fixture
def build():
    class Build:
        child = staticmethod(a_child)
        orders = staticmethod(the_orders)
        broker = staticmethod(the_broker)
        position = staticmethod(Position)
        timing = staticmethod(Timing)

    return Build
