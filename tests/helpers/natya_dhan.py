"""The documented examples of Dhan's endpoints, as they stand on the wire; and anything else that may stand there."""

from datetime import date, datetime

from hypothesis import strategies as st

from natya.domain.dhan.account.edis import EdisBulkFormRequest, EdisForm, EdisFormRequest, EdisStatus
from natya.domain.dhan.account.funds import (
    Funds,
    Margin,
    MarginLeg,
    MarginRequest,
    MultiMargin,
    MultiMarginRequest,
)
from natya.domain.dhan.account.portfolio import ConvertPositionRequest, ExitAllAck, HoldingRow, PositionRow
from natya.domain.dhan.account.profile import (
    Consent,
    IpAck,
    IpAddresses,
    IpRequest,
    Profile,
    TokenAnswer,
    TokenRefusal,
)
from natya.domain.dhan.account.statements import LedgerRow, PastTradeRow
from natya.domain.dhan.market.charts import (
    Chart,
    DailyChartRequest,
    ExpiredChart,
    ExpiredChartRequest,
    IntradayChartRequest,
)
from natya.domain.dhan.market.option_chain import ExpiriesRequest, OptionChain, OptionChainRequest
from natya.domain.dhan.market.quotes import LastPrices, OhlcQuotes, Quotes
from natya.domain.dhan.trading.alerts import (
    AlertAck,
    AlertOrder,
    AlertRequest,
    AlertRow,
    Condition,
    MultiOrderAck,
    MultiOrderLeg,
    MultiOrderRequest,
)
from natya.domain.dhan.trading.control import KillSwitchRow, PnlExitAck, PnlExitRequest, PnlExitRow
from natya.domain.dhan.trading.forever_orders import (
    ForeverOrderRow,
    ModifyForeverOrderRequest,
    PlaceForeverOrderRequest,
)
from natya.domain.dhan.trading.orders import ModifyOrderRequest, OrderAck, OrderRow, PlaceOrderRequest, TradeRow
from natya.domain.dhan.trading.super_orders import PlaceSuperOrderRequest, SuperOrderRow, modified_stop

ROWS = (datetime, date)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)

ME = "1100012345"
ORDER = {
    "dhanClientId": ME, "orderId": "412610070153", "exchangeOrderId": "1300000004511234",
    "correlationId": "bot7-000123", "orderStatus": "PART_TRADED", "transactionType": "BUY",
    "exchangeSegment": "NSE_EQ", "productType": "INTRADAY", "orderType": "LIMIT", "validity": "DAY",
    "tradingSymbol": "INFY", "securityId": "1594", "quantity": 40, "disclosedQuantity": 0, "price": 1513.0,
    "triggerPrice": 0.0, "afterMarketOrder": False, "boProfitValue": 0.0, "boStopLossValue": 0.0, "legName": "NA",
    "createTime": "2026-10-07 10:15:29", "updateTime": "2026-10-07 10:15:31", "exchangeTime": "2026-10-07 10:15:29",
    "drvExpiryDate": "0001-01-01", "drvOptionType": "NA", "drvStrikePrice": 0.0, "omsErrorCode": "0",
    "omsErrorDescription": "CONFIRMED", "algoId": "0", "remainingQuantity": 25, "averageTradedPrice": 1512.9,
    "filledQty": 15,
}  # fmt: skip
FRESH = {
    **ORDER, "exchangeOrderId": "0", "correlationId": "NA", "orderStatus": "TRANSIT", "remainingQuantity": 40,
    "exchangeTime": "0001-01-01 00:00:00", "omsErrorDescription": "", "averageTradedPrice": 0.0, "filledQty": 0,
}  # fmt: skip
TRADE = {
    "dhanClientId": ME, "orderId": "412610070153", "exchangeOrderId": "1300000004511234",
    "exchangeTradeId": "20981234", "transactionType": "BUY", "exchangeSegment": "NSE_EQ", "productType": "INTRADAY",
    "orderType": "LIMIT", "tradingSymbol": "INFY", "customSymbol": None, "securityId": "1594", "tradedQuantity": 15,
    "tradedPrice": 1512.9, "createTime": "2026-10-07 10:15:31", "updateTime": "2026-10-07 10:15:31",
    "exchangeTime": "2026-10-07 10:15:31", "drvExpiryDate": "0001-01-01", "drvOptionType": "NA",
    "drvStrikePrice": 0.0,
}  # fmt: skip
PAST_TRADE = {
    "dhanClientId": ME, "orderId": "412610060044", "exchangeOrderId": "1300000003310001", "exchangeTradeId": "0",
    "transactionType": "SELL", "exchangeSegment": "NSE_EQ", "productType": "CNC", "orderType": "LIMIT",
    "customSymbol": "Infosys", "tradingSymbol": "", "securityId": "1594", "tradedQuantity": 3, "tradedPrice": 1507.4,
    "isin": "INE009A01021", "instrument": "EQUITY", "sebiTax": 0.0045, "stt": 4.52, "brokerageCharges": 0.0,
    "serviceTax": 0.03, "exchangeTransactionCharges": 0.13, "stampDuty": 0.0, "createTime": "NA",
    "updateTime": "NA", "exchangeTime": "2026-10-06 11:02:40", "drvExpiryDate": "NA", "drvOptionType": "NA",
    "drvStrikePrice": 0.0,
}  # fmt: skip
POSITION = {
    "dhanClientId": ME, "tradingSymbol": "INFY", "securityId": "1594", "positionType": "LONG",
    "exchangeSegment": "NSE_EQ", "productType": "INTRADAY", "buyAvg": 1512.9, "costPrice": 1512.9, "buyQty": 15,
    "sellAvg": 0.0, "sellQty": 0, "netQty": 15, "realizedProfit": 0.0, "unrealizedProfit": -6.0,
    "rbiReferenceRate": 1.0, "multiplier": 1, "carryForwardBuyQty": 0, "carryForwardSellQty": 0,
    "carryForwardBuyValue": 0.0, "carryForwardSellValue": 0.0, "dayBuyQty": 15, "daySellQty": 0,
    "dayBuyValue": 22693.5, "daySellValue": 0.0, "drvExpiryDate": "0001-01-01", "drvOptionType": None,
    "drvStrikePrice": 0.0, "crossCurrency": False,
}  # fmt: skip
HOLDING = {
    "exchange": "ALL", "tradingSymbol": "INFY", "securityId": "1594", "isin": "INE009A01021", "totalQty": 12,
    "dpQty": 10, "t1Qty": 2, "mtf_t1_qty": 0, "mtf_qty": 0, "availableQty": 12, "collateralQty": 0,
    "avgCostPrice": 1441.3, "lastTradedPrice": 1512.5,
}  # fmt: skip
FUNDS = {
    "dhanClientId": ME, "availabelBalance": 250000.0, "sodLimit": 272693.5, "collateralAmount": 0.0,
    "receiveableAmount": 0.0, "utilizedAmount": 22693.5, "blockedPayoutAmount": 0.0, "withdrawableBalance": 248000.0,
}  # fmt: skip
SUPER_ORDER = {
    **ORDER,
    "legName": "ENTRY_LEG", "ltp": 1512.5,
    "legDetails": [{
        "orderId": "512610070011", "legName": "STOP_LOSS_LEG", "transactionType": "SELL", "totalQuatity": 10,
        "remainingQuantity": 10, "triggeredQuantity": 0, "price": 1500.0, "orderStatus": "PENDING",
        "trailingJump": 2.0,
    }],
}  # fmt: skip
FOREVER_ORDER = {
    "dhanClientId": ME, "orderId": "5132610071234", "orderStatus": "CONFIRM", "transactionType": "SELL",
    "exchangeSegment": "NSE_EQ", "productType": "CNC", "orderType": "OCO", "tradingSymbol": "INFY",
    "securityId": "1594", "quantity": 10, "price": 1460.0, "triggerPrice": 1461.0, "legName": "ENTRY_LEG",
    "createTime": "2026-10-07 10:20:02", "updateTime": None, "exchangeTime": None, "drvExpiryDate": None,
    "drvOptionType": None, "drvStrikePrice": 0.0,
}  # fmt: skip
ALERT = {
    "alertId": "70412", "alertStatus": "ACTIVE", "createdTime": "2026-10-07T04:52:10Z", "triggeredTime": None,
    "lastPrice": 1512.5,
    "condition": {
        "comparisonType": "PRICE_WITH_VALUE", "exchangeSegment": "NSE_EQ", "securityId": "1594",
        "operator": "LESS_THAN", "comparingValue": 1450.0, "expDate": "2027-10-07", "frequency": "ONCE",
        "userNote": "dip", "indicatorName": "", "comparingIndicatorName": "", "timeFrame": "",
    },
    "orders": [{
        "transactionType": "BUY", "exchangeSegment": "NSE_EQ", "productType": "CNC", "orderType": "LIMIT",
        "securityId": "1594", "quantity": 5, "validity": "DAY", "price": 1449.5, "discQuantity": 0,
        "triggerPrice": 0.0,
    }],
}  # fmt: skip
LEVELS = [{"quantity": 100, "orders": 3, "price": 1512.4}]
QUOTE = {
    "average_price": 1509.75, "buy_quantity": 295000, "depth": {"buy": LEVELS, "sell": LEVELS}, "last_price": 1512.5,
    "last_quantity": 12, "last_trade_time": "07/10/2026 10:15:30", "lower_circuit_limit": 1348.5, "net_change": 14.25,
    "ohlc": {"open": 1500.0, "close": 1498.25, "high": 1518.0, "low": 1496.5}, "oi": 0.0, "oi_day_high": 0.0,
    "oi_day_low": 0.0, "sell_quantity": 310000, "upper_circuit_limit": 1648.0, "volume": 2450000,
}  # fmt: skip
OPTION = {
    "average_price": 118.4, "greeks": {"delta": 0.512, "theta": -15.1, "gamma": 0.00121, "vega": 11.9},
    "implied_volatility": 11.3, "last_price": 121.5, "oi": 1820000.0, "previous_close_price": 133.0,
    "previous_oi": 1500200.0, "previous_volume": 320000, "security_id": "51234", "top_ask_price": 121.6,
    "top_ask_quantity": 130, "top_bid_price": 121.4, "top_bid_quantity": 65, "volume": 4100000,
}  # fmt: skip
CHART = {
    "open": [1500.0, 1503.2], "high": [1504.0, 1506.5], "low": [1499.0, 1502.1], "close": [1503.1, 1505.9],
    "volume": [75094, 69031], "timestamp": [1791344700, 1791344760], "open_interest": [],
}  # fmt: skip
EXPIRED = {
    "iv": [], "oi": [], "strike": [], "spot": [], "open": [101.5], "high": [], "low": [], "close": [102.2],
    "volume": [], "timestamp": [1788234300],
}  # fmt: skip
TOKEN = {
    "dhanClientId": ME, "dhanClientName": "ASHA RAO", "dhanClientUcc": "QWER12345T", "givenPowerOfAttorney": False,
    "accessToken": "eyJ.x.y", "expiryTime": "2026-10-08 09:05:11",
}  # fmt: skip

ANSWERS = [
    (OrderAck, {"orderId": "412610070153", "orderStatus": "TRANSIT"}),
    (OrderRow, ORDER),
    (OrderRow, FRESH),
    (TradeRow, TRADE),
    (PastTradeRow, PAST_TRADE),
    (PositionRow, POSITION),
    (HoldingRow, HOLDING),
    (ExitAllAck, {"status": "SUCCESS", "message": "all orders and positions exited"}),
    (Funds, FUNDS),
    (
        Margin,
        {
            "totalMargin": 12104.0, "spanMargin": 0.0, "exposureMargin": 0.0, "availableBalance": 250000.0,
            "variableMargin": 12104.0, "insufficientBalance": 0.0, "brokerage": 18.16, "leverage": "5X",
        },
    ),
    (
        MultiMargin,
        {
            "clientId": ME, "totalMargin": 151200.0, "spanMargin": 120400.0, "exposure": 30800.0, "equityMargin": 0.0,
            "foMargin": 151200.0, "commodity": 0.0, "currency": 0.0, "hedgeBenefit": 0.0,
        },
    ),
    (SuperOrderRow, SUPER_ORDER),
    (ForeverOrderRow, FOREVER_ORDER),
    (AlertAck, {"alertId": "70412", "alertStatus": "ACTIVE"}),
    (AlertRow, ALERT),
    (MultiOrderAck, {"orders": [{"orderId": "412610070160", "sequence": "1", "orderStatus": "TRANSIT"}]}),
    (KillSwitchRow, {"dhanClientId": ME, "killSwitchStatus": "DEACTIVATE"}),
    (KillSwitchRow, {"dhanClientId": ME, "killSwitchStatus": "kill switch is now on"}),
    (PnlExitAck, {"pnlExitStatus": "ACTIVE", "message": "configured"}),
    (
        PnlExitRow,
        {
            "pnlExitStatus": "ACTIVE", "profit": 4000.0, "loss": 1500.0, "productType": ["INTRADAY"],
            "enableKillSwitch": False,
        },
    ),
    (EdisForm, {"dhanClientId": ME, "edisFormHtml": "<form>…</form>"}),
    (
        EdisStatus,
        {
            "clientId": ME, "isin": "INE009A01021", "totalQty": 12, "aprvdQty": 3, "status": "SUCCESS",
            "remarks": "approved",
        },
    ),
    (
        LedgerRow,
        {
            "dhanClientId": ME, "narration": "FUNDS ADDED", "voucherdate": "2026-10-05", "exchange": "NSE_CASH",
            "voucherdesc": "RCPT", "vouchernumber": "202610050007", "debit": 0.0, "credit": 50000.0,
            "runbal": 250000.0,
        },
    ),
    (LastPrices, {"data": {"NSE_EQ": {"1594": {"last_price": 1512.5}}, "IDX_I": {}}, "status": "success"}),
    (
        OhlcQuotes,
        {"data": {"NSE_EQ": {"1594": {"last_price": 1512.5, "ohlc": QUOTE["ohlc"]}}}, "status": "success"},
    ),
    (Quotes, {"data": {"NSE_EQ": {"1594": QUOTE}}, "status": "success"}),
    (Chart, CHART),
    (ExpiredChart, {"data": {"ce": EXPIRED, "pe": None}}),
    (
        OptionChain,
        {"data": {"last_price": 24861.30078125, "oc": {"24850.000000": {"ce": OPTION, "pe": None}}},
         "status": "success"},
    ),
    (
        Profile,
        {
            "dhanClientId": ME, "tokenValidity": "2026-10-08 09:05:00", "activeSegment": "Equity, Derivative",
            "ddpi": "Active", "mtf": "Deactive", "dataPlan": "Active", "dataValidity": "2026-11-06 00:00:00",
        },
    ),
    (IpAck, {"message": "saved", "status": "SUCCESS"}),
    (
        IpAddresses,
        {
            "modifyDatePrimary": "2026-10-14", "modifyDateSecondary": "", "primaryIP": "203.0.113.9",
            "secondaryIP": "", "detectedIP": "203.0.113.9", "ipMatchStatus": "MATCH", "ordersAllowed": True,
        },
    ),
    (TokenAnswer, TOKEN),
    (TokenRefusal, {"message": "Token can be generated once every 2 minutes.", "status": "error"}),
    (Consent, {"consentAppId": "7", "consentAppStatus": "GENERATED", "status": "success"}),
]  # fmt: skip

CASH = {"exchange_segment": "NSE_EQ", "security_id": "1594"}
CASH_WIRE = {"exchangeSegment": "NSE_EQ", "securityId": "1594"}

REQUESTS = [
    (
        PlaceOrderRequest(
            dhan_client_id=ME, correlation_id="bot7-000123", transaction_type="BUY", product_type="INTRADAY",
            order_type="STOP_LOSS", quantity=40, price=1513.0, trigger_price=1512.0, **CASH,
        ),
        {
            "dhanClientId": ME, "correlationId": "bot7-000123", "transactionType": "BUY", "productType": "INTRADAY",
            "orderType": "STOP_LOSS", "validity": "DAY", "quantity": 40, "disclosedQuantity": 0, "price": 1513.0,
            "triggerPrice": 1512.0, "afterMarketOrder": False, **CASH_WIRE,
        },
    ),
    (
        ModifyOrderRequest(dhan_client_id=ME, order_id="412610070153", order_type="LIMIT", quantity=50, price=1512.8),
        {
            "dhanClientId": ME, "orderId": "412610070153", "orderType": "LIMIT", "legName": "NA", "quantity": 50,
            "price": 1512.8, "disclosedQuantity": 0, "triggerPrice": 0.0, "validity": "DAY",
        },
    ),
    (
        PlaceSuperOrderRequest(
            dhan_client_id=ME, correlation_id="sup-9", transaction_type="BUY", product_type="INTRADAY",
            order_type="LIMIT", quantity=10, price=1510.0, target_price=1530.0, stop_loss_price=1500.0,
            trailing_jump=2.0, **CASH,
        ),
        {
            "dhanClientId": ME, "correlationId": "sup-9", "transactionType": "BUY", "productType": "INTRADAY",
            "orderType": "LIMIT", "quantity": 10, "price": 1510.0, "targetPrice": 1530.0, "stopLossPrice": 1500.0,
            "trailingJump": 2.0, **CASH_WIRE,
        },
    ),
    (
        modified_stop(ME, "512610070011", stop_loss_price=1502.0, trailing_jump=1.5),
        {
            "dhanClientId": ME, "orderId": "512610070011", "legName": "STOP_LOSS_LEG", "stopLossPrice": 1502.0,
            "trailingJump": 1.5,
        },
    ),
    (
        PlaceForeverOrderRequest(
            dhan_client_id=ME, order_flag="OCO", transaction_type="SELL", product_type="CNC", order_type="LIMIT",
            quantity=10, price=1460.0, trigger_price=1461.0, price1=1580.0, trigger_price1=1579.0, quantity1=10,
            **CASH,
        ),
        {
            "dhanClientId": ME, "orderFlag": "OCO", "transactionType": "SELL", "productType": "CNC",
            "orderType": "LIMIT", "validity": "DAY", "quantity": 10, "disclosedQuantity": 0, "price": 1460.0,
            "triggerPrice": 1461.0, "price1": 1580.0, "triggerPrice1": 1579.0, "quantity1": 10, "correlationId": "",
            **CASH_WIRE,
        },
    ),
    (
        ModifyForeverOrderRequest(
            dhan_client_id=ME, order_id="5132610071234", order_flag="SINGLE", order_type="LIMIT",
            leg_name="TARGET_LEG", quantity=9, price=1460.0, trigger_price=1461.0,
        ),
        {
            "dhanClientId": ME, "orderId": "5132610071234", "orderFlag": "SINGLE", "orderType": "LIMIT",
            "legName": "TARGET_LEG", "quantity": 9, "price": 1460.0, "triggerPrice": 1461.0, "disclosedQuantity": 0,
            "validity": "DAY",
        },
    ),
    (
        AlertRequest(
            dhan_client_id=ME,
            condition=Condition(
                comparison_type="PRICE_WITH_VALUE", operator="LESS_THAN", comparing_value=1450.0,
                exp_date="2027-10-07", user_note="dip", **CASH,
            ),
            orders=(
                AlertOrder(
                    transaction_type="BUY", product_type="CNC", order_type="LIMIT", quantity=5, price="1449.5", **CASH
                ),
            ),
        ),
        {
            "dhanClientId": ME,
            "condition": {
                "comparisonType": "PRICE_WITH_VALUE", "operator": "LESS_THAN", "comparingValue": 1450.0,
                "expDate": "2027-10-07", "frequency": "ONCE", "userNote": "dip", **CASH_WIRE,
            },
            "orders": [
                {
                    "transactionType": "BUY", "productType": "CNC", "orderType": "LIMIT", "quantity": 5,
                    "validity": "DAY", "price": "1449.5", "discQuantity": "0", "triggerPrice": "0", **CASH_WIRE,
                }
            ],
        },
    ),
    (
        MultiOrderRequest(
            dhan_client_id=ME,
            orders=(
                MultiOrderLeg(
                    sequence="1", correlation_id="m-1", transaction_type="BUY", product_type="CNC",
                    order_type="LIMIT", quantity=5, price=1505.0, **CASH,
                ),
            ),
        ),
        {
            "dhanClientId": ME,
            "orders": [
                {
                    "sequence": "1", "correlationId": "m-1", "transactionType": "BUY", "productType": "CNC",
                    "orderType": "LIMIT", "validity": "DAY", "quantity": 5, "price": 1505.0, "triggerPrice": 0.0,
                    "disclosedQuantity": 0, "afterMarketOrder": False, **CASH_WIRE,
                }
            ],
        },
    ),
    (
        ConvertPositionRequest(
            dhan_client_id=ME, from_product_type="INTRADAY", position_type="LONG", convert_qty=15,
            to_product_type="CNC", **CASH,
        ),
        {
            "dhanClientId": ME, "fromProductType": "INTRADAY", "positionType": "LONG", "convertQty": 15,
            "toProductType": "CNC", **CASH_WIRE,
        },
    ),
    (
        EdisFormRequest(isin="INE009A01021", qty=3),
        {"isin": "INE009A01021", "qty": 3, "exchange": "NSE", "segment": "EQ", "bulk": False},
    ),
    (
        EdisBulkFormRequest(isin=("INE009A01021",)),
        {"isin": ["INE009A01021"], "exchange": "NSE", "segment": "EQ"},
    ),
    (
        PnlExitRequest(dhan_client_id=ME, profit_value=4000.0, loss_value=1500.0, product_type=("INTRADAY",)),
        {
            "dhanClientId": ME, "profitValue": 4000.0, "lossValue": 1500.0, "productType": ["INTRADAY"],
            "enableKillSwitch": False,
        },
    ),
    (
        MarginRequest(
            dhan_client_id=ME, transaction_type="BUY", quantity=40, product_type="INTRADAY", price=1513.0, **CASH
        ),
        {
            "dhanClientId": ME, "transactionType": "BUY", "quantity": 40, "productType": "INTRADAY", "price": 1513.0,
            "triggerPrice": 0.0, **CASH_WIRE,
        },
    ),
    (
        MultiMarginRequest(
            dhan_client_id=ME, include_position=True,
            scrip_list=(
                MarginLeg(transaction_type="SELL", quantity=65, product_type="MARGIN", price=120.0, **CASH),
            ),
        ),
        {
            "dhanClientId": ME, "includePosition": True, "includeOrder": False,
            "scripList": [
                {
                    "transactionType": "SELL", "quantity": 65, "productType": "MARGIN", "price": 120.0,
                    "triggerPrice": 0.0, **CASH_WIRE,
                }
            ],
        },
    ),
    (
        DailyChartRequest(instrument="EQUITY", from_date="2026-10-01", to_date="2026-10-07", **CASH),
        {
            "instrument": "EQUITY", "expiryCode": 0, "oi": False, "fromDate": "2026-10-01", "toDate": "2026-10-07",
            **CASH_WIRE,
        },
    ),
    (
        IntradayChartRequest(
            instrument="EQUITY", interval="1", from_date="2026-10-07 09:15:00", to_date="2026-10-07 09:17:00", **CASH
        ),
        {
            "instrument": "EQUITY", "interval": "1", "oi": False, "fromDate": "2026-10-07 09:15:00",
            "toDate": "2026-10-07 09:17:00", **CASH_WIRE,
        },
    ),
    (
        ExpiredChartRequest(
            exchange_segment="NSE_FNO", interval="5", security_id=13, instrument="OPTIDX", expiry_flag="WEEK",
            expiry_code=1, strike="ATM+1", drv_option_type="CALL", required_data=("open", "close"),
            from_date="2026-09-01", to_date="2026-09-03",
        ),
        {
            "exchangeSegment": "NSE_FNO", "interval": "5", "securityId": 13, "instrument": "OPTIDX",
            "expiryFlag": "WEEK", "expiryCode": 1, "strike": "ATM+1", "drvOptionType": "CALL",
            "requiredData": ["open", "close"], "fromDate": "2026-09-01", "toDate": "2026-09-03",
        },
    ),
    (
        OptionChainRequest(underlying_scrip=13, underlying_seg="IDX_I", expiry="2026-10-13"),
        {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I", "Expiry": "2026-10-13"},
    ),
    (
        ExpiriesRequest(underlying_scrip=13, underlying_seg="IDX_I"),
        {"UnderlyingScrip": 13, "UnderlyingSeg": "IDX_I"},
    ),
    (
        IpRequest(dhan_client_id=ME, ip="203.0.113.9"),
        {"dhanClientId": ME, "ip": "203.0.113.9", "ipFlag": "PRIMARY"},
    ),
]  # fmt: skip
