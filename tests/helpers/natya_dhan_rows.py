"""Rows of Dhan, each showing only what a test is about."""

from natya.actors.broker.bodies.dhan.progress import Watched
from natya.domain.dhan.account.portfolio import PositionRow
from natya.domain.dhan.trading.orders import OrderRow, TradeRow

INFY = ("NSE_EQ", "1594")


def a_row(status="PENDING", number="7", filled=0, quantity=10, **fields):
    fields = {"transaction_type": "BUY", "exchange_segment": "NSE_EQ", "security_id": "1594"} | fields
    fields = {"correlation_id": "A-1"} | fields
    return OrderRow(order_id=number, order_status=status, quantity=quantity, filled_qty=filled, **fields)


def a_trade(trade_id="E1", quantity=10, number="7", price=100.0, **fields):
    fields = {"transaction_type": "BUY", "exchange_segment": "NSE_EQ", "security_id": "1594"} | fields
    return TradeRow(order_id=number, exchange_trade_id=trade_id, traded_quantity=quantity, traded_price=price, **fields)


def a_position(bought=0, sold=0, **fields):
    fields = {"exchange_segment": "NSE_EQ", "security_id": "1594", "product_type": "INTRADAY"} | fields
    return PositionRow(
        net_qty=bought - sold, day_buy_qty=bought, day_sell_qty=sold, buy_qty=bought, sell_qty=sold, **fields
    )


def watched(number="7", **fields):
    fields = {"client_order_id": "A-1", "symbol": "INFY", "side": "BUY", "instrument": INFY} | fields
    return Watched(broker_order_id=number, **fields)
