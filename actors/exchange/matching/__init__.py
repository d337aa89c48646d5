"""The matching of the paper exchange: our orders against the market that is shown. Pure: no clock, no actors.

matching    all markets and orders: place, replace, cancel, move
trading     how an order trades at a tick, and what is said of it
market      one symbol: its tick, its liquidity, its resting and waiting orders
order       one order and its progress
refusals    what an order is refused for: its prices, and the auction that goes on
liquidity   what one tick offers our orders
model       how fills are modelled: what the settings choose
"""

from .matching import Matching
from .model import FillModel
from .order import Order
from .refusals import opening_fault

__all__ = ["FillModel", "Matching", "Order", "opening_fault"]
