"""The risk gate (pure): named rules, checked in order; the first that refuses decides.

It fails closed: a missing value refuses the order, and every comparison is written so that NaN refuses it, too. Where a
limit is 0, its rule is off.

table       the rules in their order, and `judge`
situation   what the rules consider besides the order: the book, the market, the limits
state, clock, identity, instrument, size, price, exposure, margin, flow    the rules, a file a family
figures, explaining    how much of each limit is used, and what each rule says of an order: for people
sent        orders out against intents in
trips       what takes the right to open positions away, until a person gives it back
"""

from .explaining import Explained, explained, limit_of, meaning_of
from .figures import figures_of
from .identity import contradiction
from .sent import changed, sent
from .situation import NO_BANDS, NO_PRICE, Band, Bands, Funds, MarketPrice, Refusal, Rule, Situation
from .table import RULES, is_on, judge, rules_of, settings_of
from .trips import Trip, tripped, warned

__all__ = [
    "NO_BANDS",
    "NO_PRICE",
    "RULES",
    "Band",
    "Bands",
    "Explained",
    "Funds",
    "MarketPrice",
    "Refusal",
    "Rule",
    "Situation",
    "Trip",
    "changed",
    "contradiction",
    "explained",
    "figures_of",
    "is_on",
    "judge",
    "limit_of",
    "meaning_of",
    "rules_of",
    "sent",
    "settings_of",
    "tripped",
    "warned",
]
