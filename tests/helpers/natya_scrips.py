"""Rows of Dhan's lists of instruments, in both forms, as they were published in 2026."""

from pathlib import Path


def _rows(form):
    return Path(__file__).with_name(f"scrips_{form}.csv").read_text(encoding="utf-8").splitlines()


COMPACT, *COMPACT_ROWS = _rows("compact")
DETAILED, *DETAILED_ROWS = _rows("detailed")


def listed(header=COMPACT, rows=COMPACT_ROWS, *, more=0):
    """Write a file: the rows, and so many options more."""
    others = (
        f"NSE,D,{900_000 + number},OPTIDX,0,MIDCPNIFTY-Nov2026-{10_000 + number}-PE,120.0,MIDCPNIFTY PUT,"
        f"2026-11-24 14:30:00,{10_000 + number}.00000,PE,5.0000,M,OP,NA,"
        for number in range(more)
    )
    return "\n".join([header, *rows, *others, ""])
