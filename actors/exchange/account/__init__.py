"""One account at the paper exchange, as a broker's order management keeps it. Pure: no clock, no actors.

account     the verbs of an account; watching: its views
core        what its parts share: state, instruments, prices, time, the changes of the present call
state       the fold of its facts
positions   what was traded of an instrument in a product, what is owned
orders      the life of an order
super_orders, forever_orders, alerts   what places orders later; candles: what indicators are computed on
brackets    cover and bracket orders
controls    exit all, conversion, kill switch, the exit at a profit or a loss
checks      why an order is refused or rejected; closing: which shares of an order close a position
money       margin, funds, charges
day         what time does: the day turns, square-off, the close
shown       positions and holdings as they are shown
requests    the arguments of the verbs
views       what verbs and views return
listings    the instruments
refusals    what is refused at once

The facts that the verbs return are in `messages/exchange.py`.
"""

from .account import Account
from .listings import Listing, Listings
from .refusals import Refused
from .requests import (
    AlertModification,
    AlertTicket,
    Conversion,
    ForeverModification,
    ForeverTicket,
    MarginTicket,
    MarginTogether,
    Modification,
    PnlExit,
    SuperModification,
    SuperTicket,
    Ticket,
)
from .state import BRACKETED, EXPIRY
from .views import AccountHolding, AccountPosition, Funds, Margin, Outcome

__all__ = [
    "BRACKETED",
    "EXPIRY",
    "Account",
    "AccountHolding",
    "AccountPosition",
    "AlertModification",
    "AlertTicket",
    "Conversion",
    "ForeverModification",
    "ForeverTicket",
    "Funds",
    "Listing",
    "Listings",
    "Margin",
    "MarginTicket",
    "MarginTogether",
    "Modification",
    "Outcome",
    "PnlExit",
    "Refused",
    "SuperModification",
    "SuperTicket",
    "Ticket",
]
