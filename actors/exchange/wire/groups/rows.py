"""Rows of the account as Dhan's."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .....domain.dhan.account.funds import Funds, Margin
from .....domain.dhan.account.portfolio import HoldingRow, PositionRow
from .....domain.dhan.account.statements import LedgerRow, PastTradeRow
from .....domain.dhan.moments import moment_of
from .....domain.dhan.trading.orders import OrderRow, TradeRow

if TYPE_CHECKING:
    from .....messages.exchange import AccountOrder, AccountTrade, Instrument, MoneyMoved
    from ...account import AccountHolding, AccountPosition, Listing, Listings
    from ...account import Funds as AccountFunds
    from ...account import Margin as AccountMargin

_CASH_SEGMENTS = frozenset({"NSE_EQ", "BSE_EQ"})


def moment(time_ns: int) -> datetime | None:
    """Return a time on the exchanges' clock, to the second; None for 0, which is never."""
    return moment_of(time_ns).replace(microsecond=0) if time_ns else None


def contract(listings: Listings, instrument: Instrument) -> dict[str, Any]:
    """Return the three fields that derivatives have."""
    listing = listings.find(instrument)
    if listing is None or instrument[0] in _CASH_SEGMENTS:
        return {}
    return {
        "drv_expiry_date": listing.reference.expiry,
        "drv_option_type": listing.option_type,
        "drv_strike_price": listing.strike_rupees,
    }


def order_row(order: AccountOrder, client_id: str, listings: Listings) -> OrderRow:
    """Return an order as the book shows it."""
    return OrderRow(**order_fields(order, client_id, listings))


def order_fields(order: AccountOrder, client_id: str, listings: Listings) -> dict[str, Any]:
    """Return the fields of a row of the book, which a row of a super order has, too."""
    return {
        "dhan_client_id": client_id,
        "order_id": order.order_id,
        "exchange_order_id": order.exchange_order_id,
        "correlation_id": order.correlation_id,
        "order_status": order.status,
        "transaction_type": order.side,
        "exchange_segment": order.instrument[0],
        "product_type": order.product,
        "order_type": order.order_type,
        "validity": order.validity,
        "trading_symbol": order.symbol,
        "security_id": order.instrument[1],
        "quantity": order.quantity,
        "disclosed_quantity": order.disclosed_quantity,
        "remaining_quantity": order.remaining_quantity,
        "filled_qty": order.filled_quantity,
        "price": order.limit_price,
        "trigger_price": order.trigger_price,
        "average_traded_price": order.average_price,
        "after_market_order": bool(order.amo_time),
        "leg_name": order.leg,
        "bo_profit_value": order.target_offset_rupees,
        "bo_stop_loss_value": order.stop_offset_rupees,
        "create_time": moment(order.created_ns),
        "update_time": moment(order.updated_ns or order.created_ns),
        "exchange_time": moment(order.exchange_ns),
        "oms_error_description": order.reason,
        **contract(listings, order.instrument),
    }


def trade_row(trade: AccountTrade, client_id: str, listings: Listings) -> TradeRow:
    """Return a trade as the trade book of the day shows it."""
    return TradeRow(
        dhan_client_id=client_id,
        order_id=trade.order_id,
        exchange_order_id=trade.exchange_order_id,
        exchange_trade_id=trade.trade_id,
        transaction_type=trade.side,
        exchange_segment=trade.instrument[0],
        product_type=trade.product,
        order_type=trade.order_type,
        trading_symbol=trade.symbol,
        security_id=trade.instrument[1],
        traded_quantity=trade.quantity,
        traded_price=trade.price,
        create_time=moment(trade.occurred_ns),
        update_time=moment(trade.occurred_ns),
        exchange_time=moment(trade.occurred_ns),
        **{**contract(listings, trade.instrument), "drv_option_type": ""},  # `NA`, of options as well
    )


def past_trade_row(trade: AccountTrade, client_id: str, listings: Listings) -> PastTradeRow:
    """Return a trade of a day before, with its charges."""
    listing = listings.find(trade.instrument)
    return PastTradeRow(
        dhan_client_id=client_id,
        order_id=trade.order_id,
        exchange_order_id=trade.exchange_order_id,
        exchange_trade_id="0",
        transaction_type=trade.side,
        exchange_segment=trade.instrument[0],
        product_type=trade.product,
        order_type=trade.order_type,
        custom_symbol=trade.symbol if listing is None else listing.name or listing.symbol,
        security_id=trade.instrument[1],
        traded_quantity=trade.quantity,
        traded_price=trade.price,
        exchange_time=moment(trade.occurred_ns),
        isin="" if listing is None else listing.isin,
        instrument=instrument_type(listing),
        sebi_tax=float(trade.sebi_fee_rupees),
        stt=float(trade.transaction_tax_rupees),
        brokerage_charges=float(trade.brokerage_rupees),
        service_tax=float(trade.gst_rupees),
        exchange_transaction_charges=float(trade.exchange_rupees),
        stamp_duty=float(trade.stamp_duty_rupees),
        **contract(listings, trade.instrument),
    )


def instrument_type(listing: Listing | None) -> str:
    """Return Dhan's word for the kind of an instrument."""
    if listing is None:
        return "EQUITY"
    return listing.reference.instrument_type


def position_row(position: AccountPosition, client_id: str, listings: Listings) -> PositionRow:
    """Return a position of the day."""
    return PositionRow(
        dhan_client_id=client_id,
        trading_symbol=position.symbol,
        security_id=position.instrument[1],
        exchange_segment=position.instrument[0],
        position_type=position.kind,
        product_type=position.product,
        net_qty=position.net_quantity,
        buy_qty=position.buy_quantity,
        sell_qty=position.sell_quantity,
        buy_avg=position.buy_average,
        sell_avg=position.sell_average,
        cost_price=position.cost_price,
        realized_profit=float(position.realized_rupees),
        unrealized_profit=float(position.unrealized_rupees),
        carry_forward_buy_qty=position.carried_buy_quantity,
        carry_forward_sell_qty=position.carried_sell_quantity,
        day_buy_qty=position.day_buy_quantity,
        day_sell_qty=position.day_sell_quantity,
        carry_forward_buy_value=float(position.carried_buy_rupees),
        carry_forward_sell_value=float(position.carried_sell_rupees),
        day_buy_value=float(position.day_buy_rupees),
        day_sell_value=float(position.day_sell_rupees),
        rbi_reference_rate=1.0,
        **contract(listings, position.instrument),
    )


def holding_row(holding: AccountHolding, listings: Listings) -> HoldingRow:
    """Return what is owned of one instrument."""
    listing = listings.find(holding.instrument)
    return HoldingRow(
        exchange="ALL",
        trading_symbol=holding.symbol,
        security_id=holding.instrument[1],
        isin="" if listing is None else listing.isin,
        total_qty=holding.quantity,
        dp_qty=max(0, holding.quantity - holding.unsettled_quantity),
        t1_qty=max(0, holding.unsettled_quantity),
        available_qty=holding.available_quantity,
        avg_cost_price=holding.average_cost_rupees,
        last_traded_price=holding.last_price,
    )


def funds_row(funds: AccountFunds, client_id: str) -> Funds:
    """Return the money."""
    return Funds(
        dhan_client_id=client_id,
        available_balance=float(funds.available_rupees),
        sod_limit=float(funds.start_of_day_rupees),
        receivable_amount=float(funds.receivable_rupees),
        utilized_amount=float(funds.utilized_rupees),
        withdrawable_balance=float(funds.withdrawable_rupees),
    )


def margin_row(margin: AccountMargin) -> Margin:
    """Return what an order would need."""
    return Margin(
        total_margin=float(margin.total_rupees),
        span_margin=float(margin.span_rupees),
        exposure_margin=float(margin.exposure_rupees),
        available_balance=float(margin.available_rupees),
        variable_margin=float(margin.variable_rupees),
        insufficient_balance=float(margin.insufficient_rupees),
        brokerage=float(margin.brokerage_rupees),
        leverage=f"{margin.leverage:g}X",
    )


def ledger_row(voucher: MoneyMoved, client_id: str) -> LedgerRow:
    """Return a line of the ledger."""
    amount = float(voucher.amount_rupees)
    when = moment(voucher.occurred_ns)
    return LedgerRow(
        dhan_client_id=client_id,
        narration=voucher.narration,
        voucherdate=None if when is None else when.date(),
        exchange="NSE_CASH",
        voucherdesc=voucher.description,
        vouchernumber=voucher.voucher,
        debit=max(0.0, -amount),
        credit=max(0.0, amount),
        runbal=float(voucher.balance_rupees),
    )
