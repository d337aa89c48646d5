"""What was: the trades and the ledger of past days."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from ..moments import Day
from ..trading.orders import TradeRow
from ..words import SignedRupees, Text


class PastTradeRow(TradeRow, frozen=True, kw_only=True, rename="camel"):
    """A fill of a day before: `GET /trades/{from-date}/{to-date}/{page}`; pages begin at 0, and one past them is empty.

    It has no symbol, and no number of the trade that could be relied on.
    """

    exchange_trade_id: Text = ""
    isin: Text = ""
    instrument: Text = ""
    sebi_tax: SignedRupees = 0.0
    stt: SignedRupees = 0.0
    brokerage_charges: SignedRupees = 0.0
    service_tax: SignedRupees = 0.0
    exchange_transaction_charges: SignedRupees = 0.0
    stamp_duty: SignedRupees = 0.0

    UNSAID: ClassVar[dict[str, str]] = {
        **TradeRow.UNSAID,
        "exchange_trade_id": "0",
        "create_time": "NA",
        "update_time": "NA",
        "drv_expiry_date": "NA",
    }


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the ledger: `GET /ledger?from-date=…&to-date=…`. Its numbers are texts on the wire.

    A range in which nothing happened has two lines all the same, the balances of before and after, of 1 January 1970.
    """

    narration: Text = ""
    voucherdate: Day = None
    exchange: Text = ""
    voucherdesc: Text = ""
    vouchernumber: Text = ""
    debit: SignedRupees = 0.0
    credit: SignedRupees = 0.0
    runbal: SignedRupees = 0.0
    """Rupees after it."""

    dhan_client_id: Text = msgspec.field(default="", name="dhanClientId")
