"""What an order costs in the paper exchange's account, without journal and wire; what a tick, and what a restart.

    python benchmarks/bench_account.py [--orders 3000] [--rounds 5]

Placed: until its id is known. At the exchange: checked, and in the book; at the market: and traded, charged, in the
position. A tick while all the orders rest. A restart: the facts decoded and applied. Targets: 60 us a placement, since
3,000 orders a second over HTTP leave 330 us for everything; 150 us in all for an order that trades at once; 20 us a
tick, whatever rests; a day of 7,000 orders, the most that the broker takes, back in half a second.
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median

from figures import Figure, report

from natya.actors.exchange.account import Account, Listing, Listings, Ticket
from natya.config.sections.exchange import ExchangeSettings
from natya.domain.instruments import Instrument
from natya.messages.codec import decode, encode
from natya.messages.market import Tick

INFY = ("NSE_EQ", "1594")
STARTED_NS = 1_791_347_400_000_000_000
"""Ten o'clock of 7 October 2026."""

SETTINGS = ExchangeSettings.default(opening_balance_rupees=1e12)
LISTINGS = Listings(
    [Listing(reference=Instrument(symbol="INFY", segment="NSE_EQ", tick_size_rupees=0.1), security_id="1594")]
)
DAY_ORDERS = 7_000


def a_tick(price: float, number: int) -> Tick:
    """Build a tick."""
    return Tick(
        symbol="INFY", price=price, quantity=1, exchange_ns=STARTED_NS + number, source="bench", sequence=number + 1
    )


def a_ticket(limit_price: float) -> Ticket:
    """Build an order; 0 for one at the market."""
    order_type = "LIMIT" if limit_price else "MARKET"
    return Ticket(
        instrument=INFY, side="BUY", product="INTRADAY", order_type=order_type, quantity=1, limit_price=limit_price
    )


def new_account() -> Account:
    """Return one that knows a price."""
    account = Account(SETTINGS, LISTINGS, now_ns=STARTED_NS)
    account.pass_time(STARTED_NS)
    account.move(a_tick(1500.0, 0))
    return account


def play(orders: int) -> dict[str, float]:
    """Return microseconds of each kind."""
    found = {}
    facts = []
    for name, limit_price in (("resting", 1400.0), ("market", 0.0)):
        account, ticket = new_account(), a_ticket(limit_price)
        begun = time.perf_counter()
        for _ in range(orders):
            facts += account.place(ticket).changes
        found[f"placed {name}"] = (time.perf_counter() - begun) / orders * 1e6
        begun = time.perf_counter()
        facts += account.pass_time(STARTED_NS + 10**9)
        found[f"arrived {name}"] = (time.perf_counter() - begun) / orders * 1e6
        if limit_price:
            begun = time.perf_counter()
            for number in range(1_000):
                account.move(a_tick(1500.0 + number % 3, number))
            found["tick"] = (time.perf_counter() - begun) / 1_000 * 1e6
    frames = [encode(fact) for fact in facts[-4 * orders :]]
    begun = time.perf_counter()
    Account(SETTINGS, LISTINGS, now_ns=STARTED_NS).resume(map(decode, frames))
    found["restart"] = (time.perf_counter() - begun) / orders * DAY_ORDERS
    return found


def main() -> int:
    """Measure, and tell the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    rounds = [play(options.orders) for _ in range(options.rounds)]
    of = {name: median(each[name] for each in rounds) for name in rounds[0]}
    whole = of["placed market"] + of["arrived market"]
    return report(
        [
            Figure(name="an order placed in the account", value=of["placed resting"], unit="us", target=60),
            Figure(
                name="an order placed, checked and in the book",
                value=of["placed resting"] + of["arrived resting"],
                unit="us",
                target=120,
            ),
            Figure(name="an order placed and traded at the market", value=whole, unit="us", target=150),
            Figure(name="a tick while all rest", value=of["tick"], unit="us", target=20),
            Figure(name="a day of 7,000 orders read back", value=of["restart"], unit="s", target=0.5),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
