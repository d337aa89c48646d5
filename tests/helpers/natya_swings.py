"""Candles whose prices swing, so that every strategy of the docs trades on them."""

from datetime import datetime, timedelta, timezone

OPENING = datetime(2026, 1, 1, 9, 15, tzinfo=timezone(timedelta(hours=5, minutes=30)))


def write_days(path, days=2):
    """Write 5-minute candles whose prices swing by some percent, with the hours of trading."""
    lines = ["date,open,high,low,close,volume"]
    for place in range(75 * days):
        moment = OPENING + timedelta(days=place // 75, minutes=place % 75 * 5)
        price = 1_000 + 20 * ((place * 7 + 11) % 23 - 11) / 11
        lines.append(f"{moment.isoformat()},{price:.1f},{price + 4:.1f},{price - 4:.1f},{price + 1:.1f},900")
    path.write_text("\n".join(lines) + "\n")
    return path
