"""An account with two instruments, at ten o'clock of an ordinary Wednesday."""

from datetime import datetime

import pytest

from natya.actors.exchange.account import Account, Listing, Listings, Ticket
from natya.config.sections.exchange import ExchangeSettings
from natya.domain.instruments import Instrument
from natya.domain.time import IST
from natya.messages.market import DaySummary, Depth, Tick

INFY, TCS = ("NSE_EQ", "1594"), ("NSE_EQ", "11536")
OPTION, FUTURE = ("NSE_FNO", "51234"), ("NSE_FNO", "51235")
SECOND_NS = 10**9


def at(clock, day=(2026, 10, 7)):
    hour, minute, *second = map(int, clock.split(":"))
    return int(datetime(*day, hour, minute, *second, tzinfo=IST).timestamp()) * SECOND_NS


def equity(symbol, security_id, tick_size=0.1, *, is_underlying=False):
    """A share; by default one of those that trade until 15:30."""
    reference = Instrument(symbol=symbol, segment="NSE_EQ", tick_size_rupees=tick_size, is_underlying=is_underlying)
    return Listing(reference=reference, security_id=security_id)


def derivative(symbol, security_id, kind, **fields):
    reference = Instrument(
        symbol=symbol, segment="NSE_FNO", tick_size_rupees=0.05, lot_size=65, freeze_quantity=1800, expiry=EXPIRY
    )
    return Listing(reference=reference, security_id=security_id, kind=kind, **fields)


EXPIRY = datetime(2026, 10, 27, tzinfo=IST).date()
LISTINGS = (
    equity("INFY", "1594"),
    equity("TCS", "11536"),
    derivative("NIFTY 25000 CE", "51234", "OPTION", strike_rupees=25_000.0, option_type="CALL"),
    derivative("NIFTY OCT", "51235", "FUTURE"),
)
OPTION_AND_INDEX = (
    derivative("NIFTY-27Oct2026-26000-CE", "60001", "OPTION", strike_rupees=26_000.0, option_type="CALL"),
    equity("NIFTY", "13"),
)
SYMBOLS = {listing.instrument: listing.symbol for listing in (*LISTINGS, *OPTION_AND_INDEX)}


def a_day(price, close):
    return DaySummary(
        open_price=price,
        high_price=price,
        low_price=price,
        close_price=close,
        average_price=price,
        total_buy_quantity=0,
        total_sell_quantity=0,
    )


class Client:
    """Plays an account step by step, and keeps its changes."""

    def __init__(self, day=(2026, 10, 7), **settings):
        settings = {"acknowledgement_delay_s": 0.5} | settings
        self.settings = ExchangeSettings.default(**settings)
        self._listed = Listings(LISTINGS)
        self.account = Account(self.settings, self._listed, now_ns=at("10:00", day))
        self.changes = []
        self.listings = LISTINGS
        self.moves = 0
        self.wait_until(at("10:00", day))

    def list_option_and_index(self):
        """List an option that expires, and the index that it is of; returns their numbers."""
        for listing in OPTION_AND_INDEX:
            self._listed.add(listing)
        return tuple(each.instrument for each in OPTION_AND_INDEX)

    def wait_until(self, time_ns):
        changes = self.account.pass_time(time_ns)
        self.changes += changes
        return changes

    def wait(self, seconds=1):
        return self.wait_until(self.account.now_ns + round(seconds * SECOND_NS))

    def tick(self, price, instrument=INFY, *, bids=None, asks=None, volume=0, close=0.0):  # noqa: PLR0913  of a tick
        self.moves += 1
        depth = None
        if bids is not None or asks is not None:
            bids, asks = bids or (), asks or ()
            depth = Depth(
                bid_prices=tuple(each[0] for each in bids),
                bid_quantities=tuple(each[1] for each in bids),
                ask_prices=tuple(each[0] for each in asks),
                ask_quantities=tuple(each[1] for each in asks),
            )
        tick = Tick(
            symbol=SYMBOLS[instrument],
            price=price,
            quantity=1,
            exchange_ns=self.account.now_ns,
            source="test",
            sequence=self.moves,
            volume=volume,
            depth=depth,
            day=a_day(price, close) if close else None,
        )
        changes = self.account.move(tick)
        self.changes += changes
        return changes

    def ask(self, verb, *arguments):
        outcome = getattr(self.account, verb)(*arguments)
        self.changes += outcome.changes
        return outcome

    def place(self, side="BUY", quantity=10, price=0.0, *, wait=True, **fields):
        fields = {"instrument": INFY, "product": "INTRADAY", "order_type": "LIMIT" if price else "MARKET"} | fields
        outcome = self.ask("place", Ticket(side=side, quantity=quantity, limit_price=price, **fields))
        if wait:
            self.wait()
        return outcome.ids[0]

    def order(self, order_id):
        return self.account.order(order_id)

    def status(self, order_id):
        return self.account.order(order_id).status

    def replayed(self):
        """The account that the changes alone make."""
        other = Account(self.settings, Listings(LISTINGS), now_ns=self.account.now_ns)
        other.resume(self.changes)
        assert other.pass_time(self.account.now_ns) == ()
        return other


@pytest.fixture(scope="session")
def open_account():
    return Client


@pytest.fixture
def client():
    return Client()
