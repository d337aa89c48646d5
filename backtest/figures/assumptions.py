"""What every backtest assumes, and what it leaves out: printed on its page and in `docs/backtests.md`."""

from __future__ import annotations

from typing import Final

MODELLED: Final = (
    (
        "An order takes its way: it meets the book as it is when its latency (20 ms) is over, not as it was when it "
        "was decided."
    ),
    "exchange.slippage_percent and exchange.slippage_ticks make each market order worse.",
    (
        "Charges: brokerage, taxes, fees of the exchange and its investor protection fund, by segment; "
        "without clearing fees and interest."
    ),
    "A resting limit order trades when the price goes beyond its limit, at its limit.",
    "An order ends with its day, a stop too: nothing of it protects over the night.",
    (
        "From 3 August 2026 on shares with derivatives trade until 15:15 and then have one price, of the closing "
        "auction; without it an order does not trade."
    ),
    "A candle is not known before it ends; of its prices inside, only a path that open, high, low and close allow.",
)
"""What fills and figures assume."""

LEFT_OUT: Final = (
    (
        "Your own effect on the market.",
        (
            "The recorded prices do not move because you traded. The larger the order, the more flattering the figure; "
            "how many fills were more than a tenth of what their bar traded is said, where the data has volumes."
        ),
    ),
    (
        "Your place in the queue.",
        "Without recorded depth it is not known how many were before you at your price.",
    ),
    (
        "What was not recorded.",
        "Candles have no ticks: a stop and a target inside one candle may have been met in either order.",
    ),
    (
        "Survivors.",
        "A list of today's symbols has no company that was delisted. Choose symbols as of the first day.",
    ),
    (
        "Lots and freeze quantities.",
        "The list of a past day is not known: an order of any quantity is taken, of contracts, too.",
    ),
    (
        "Adjusted prices.",
        "Charts of the broker are adjusted for splits afterwards; limits in rupees mean something else on them.",
    ),
    (
        "Refusals of the broker:",
        "margins that changed in the day, bans of the day, a broker that was down.",
    ),
    (
        "Your choice.",
        (
            "Of a hundred sweeps the best one looks good by chance. Walk forward (--train 60d --test 20d), and look at "
            "the test parts only."
        ),
    ),
)
"""What is left out, and makes the figures too good."""

CONCLUSION: Final = (
    "A figure of a backtest is an upper bound. Paper on live prices comes next, then the smallest real size."
)
