"""Which account's facts are remembered, where several lie in one journal."""

import pytest

from natya.actors.exchange.account import Account, Listings
from natya.actors.exchange.remembering import RememberedAccount
from natya.config.sections.exchange import ExchangeSettings
from natya.messages.exchange import AccountServed
from natya.messages.orders import OrderAccepted

NOON_NS = 1_791_354_600_000_000_000


def served(account):
    return AccountServed(account=account, occurred_ns=NOON_NS)


def paid_in(rupees):
    account = Account(ExchangeSettings.default(), Listings(), now_ns=NOON_NS)
    return account.add_funds(rupees).changes


def remembered(choice, facts):
    found = RememberedAccount(choice)
    for fact in facts:
        found.apply(fact)
    return found


FACTS = (served(0), *paid_in(1.0), served(1), *paid_in(2.0), served(0), *paid_in(4.0), served(1), *paid_in(8.0))


@pytest.mark.parametrize(
    ("choice", "account", "rupees"), [("session", 0, [1, 4]), ("newest", 1, [2, 8]), ("new", 2, [])]
)
def test_an_account_is_made_of_its_own_facts_alone(choice, account, rupees):
    found = remembered(choice, FACTS)

    assert found.account == account
    own = [fact for sum_rupees in rupees for fact in paid_in(float(sum_rupees))]
    assert found.state.comparable() == remembered("session", own).state.comparable()
    assert found.written == 1


def test_a_fact_of_something_else_is_none_of_an_account():
    other = OrderAccepted(client_order_id="A-1", broker_order_id="X-1-1", occurred_ns=NOON_NS)

    assert remembered("session", (other, *FACTS)).state.comparable() == remembered("session", FACTS).state.comparable()
