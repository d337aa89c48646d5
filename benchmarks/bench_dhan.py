"""A book of a thousand orders, from the bytes of Dhan's answer to rows that can be worked with.

    python benchmarks/bench_dhan.py [--orders 1000]

Floors, in the same run and in turn: what the official client and its user do (`json.loads`, then a pandas DataFrame),
and `json.loads` alone, whose dicts nobody has checked. Ours are typed and bounded. Beside it the price of tolerance:
the same book where two numbers are texts, which is read field by field. And a request's way through the limiter on a
day when as many have left as Dhan allows, answer included.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import date
from statistics import median
from typing import TYPE_CHECKING, Any

from figures import Figure, report

from natya.actors.external import Granted, Limiter
from natya.domain.dhan.decoding import rows_reader
from natya.domain.dhan.limits import limits_on
from natya.domain.dhan.trading.orders import OrderRow
from natya.domain.time import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

ORDER: dict[str, Any] = {
    "dhanClientId": "1100012345", "orderId": "412610070153", "exchangeOrderId": "1300000004511234",
    "correlationId": "bot7-000123", "orderStatus": "PART_TRADED", "transactionType": "BUY",
    "exchangeSegment": "NSE_EQ", "productType": "INTRADAY", "orderType": "LIMIT", "validity": "DAY",
    "tradingSymbol": "INFY", "securityId": "1594", "quantity": 40, "disclosedQuantity": 0, "price": 1513.0,
    "triggerPrice": 0.0, "afterMarketOrder": False, "boProfitValue": 0.0, "boStopLossValue": 0.0, "legName": "NA",
    "createTime": "2026-10-07 10:15:29", "updateTime": "2026-10-07 10:15:31", "exchangeTime": "2026-10-07 10:15:29",
    "drvExpiryDate": "0001-01-01", "drvOptionType": "NA", "drvStrikePrice": 0.0, "omsErrorCode": "0",
    "omsErrorDescription": "CONFIRMED", "algoId": "0", "remainingQuantity": 25, "averageTradedPrice": 1512.9,
    "filledQty": 15,
}  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and say by the exit code whether the targets are met."""
    import pandas as pd  # noqa: PLC0415  half a second that only the run itself has to pay

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=41)
    given = parser.parse_args(argv)
    rows = [{**ORDER, "orderId": str(412610070000 + number)} for number in range(given.orders)]
    body = json.dumps(rows, separators=(",", ":")).encode()
    odd = json.dumps([{**row, "quantity": "40", "filledQty": "15"} for row in rows]).encode()
    read = rows_reader(OrderRow)
    tasks: dict[str, Callable[[], object]] = {
        "frame": lambda: pd.DataFrame(json.loads(body)),
        "dicts": lambda: json.loads(body),
        "rows": lambda: read(body),
        "odd": lambda: read(odd),
    }
    taken_ms: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(given.rounds):  # in turn, so that a slow moment meets all of them
        for name, task in tasks.items():
            began = time.perf_counter_ns()
            task()
            taken_ms[name].append((time.perf_counter_ns() - began) / 1e6)
    found = {name: median(each) for name, each in taken_ms.items()}
    book = f"a book of {given.orders} orders"
    return report(
        [
            Figure(
                name=f"{book}, typed",
                value=found["rows"],
                unit="ms",
                floor=found["frame"],
                floor_name="json and a DataFrame",
                target=0.35,
            ),
            Figure(
                name=f"{book}, typed, against unchecked dicts",
                value=found["rows"],
                unit="ms",
                floor=found["dicts"],
                floor_name="json alone",
                target=1.0,
            ),
            Figure(
                name=f"{book}, two numbers as texts",
                value=found["odd"],
                unit="ms",
                floor=found["frame"],
                floor_name="json and a DataFrame",
                target=25,
            ),
            Figure(name="a request through the limiter, 7,000 in the day", value=limiter_us(), unit="us", target=5),
        ]
    )


def limiter_us(requests: int = 2_000) -> float:
    """Microseconds of one request: granted, and answered."""
    apart_ns = 13 * SECOND_NS  # a few less than 7,000 a day
    now_ns = DAY_NS
    limiter = Limiter(limits_on(date.max))
    limiter.restore("orders", (now_ns - number * apart_ns for number in range(1, 6_600)))
    taken = []
    for number in range(1, requests + 1):
        now_ns += apart_ns
        began = time.perf_counter_ns()
        answer = limiter.ask(number, "orders", now_ns=now_ns)
        limiter.end(number, now_ns)
        taken.append((time.perf_counter_ns() - began) / 1_000)
        if not isinstance(answer, Granted):
            raise SystemExit(f"a request that leaves wanted, found {answer}")
    return median(taken)


if __name__ == "__main__":
    sys.exit(main())
