"""Packets of Dhan's market feed as they were documented: content, and the bytes of it."""

from natya.domain.dhan.streams import packets

LAST_TRADE = 1_791_368_130
"""10:15:30 in India on 7 October 2026, as the feed writes it."""

LAST_TRADE_NS = 1_791_348_330_000_000_000

TICKER = bytes.fromhex("021000013a0600000010bd44c21bc66a")
PREVIOUS_CLOSE = bytes.fromhex("061000000d0000008024c24600000000")
OPEN_INTEREST = bytes.fromhex("050c000222c80000fc131300")
QUOTE = bytes.fromhex(
    "043200013a0600000010bd440c00c21bc66a00b8bc4450622500f0ba0400588004000080bb440048bb4400c0bd440010bb44"
)
STATUS = bytes.fromhex("0708000100000000")
DISCONNECT = bytes.fromhex("320a0000000000002703")

LEVELS = [(100 + level, 200 + level, 2, 3, 1512.5 - level / 2, 1513.0 + level / 2) for level in range(packets.LEVELS)]
"""Bid and ask quantity, bid and ask orders, bid and ask price."""


def full(  # noqa: PLR0913  what a packet has
    security_id=1594, segment=1, *, price=1512.5, open_interest=0, levels=LEVELS, time_s=LAST_TRADE, volume=2_450_000
):
    return packets.FULL_LAYOUT.pack(
        *(packets.FULL, packets.FULL_LAYOUT.size, segment, security_id, price, 12, time_s, 1509.75, volume),
        *(310_000, 295_000, open_interest, 0, 0, 1500.0, 1498.25, 1518.0, 1496.5),
        *(value for level in levels for value in level),
    )


FULL = full()
EVERY = (TICKER, PREVIOUS_CLOSE, OPEN_INTEREST, QUOTE, STATUS, FULL, DISCONNECT)
