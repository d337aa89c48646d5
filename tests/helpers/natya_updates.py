"""Messages of Dhan's socket of order updates, as they stand on the wire."""

CLIENT = "1100012345"

DOCUMENTED = {
    "Exchange": "NSE", "Segment": "E", "Source": "P", "SecurityId": "1594", "ClientId": CLIENT,
    "ExchOrderNo": "1300000004511234", "OrderNo": "412610070153", "Product": "I", "TxnType": "B", "OrderType": "LMT",
    "Validity": "DAY", "DiscQuantity": 0, "DiscQtyRem": 0, "RemainingQuantity": 25, "Quantity": 40, "TradedQty": 15,
    "Price": 1513.0, "TriggerPrice": 0, "TradedPrice": 1512.9, "AvgTradedPrice": 1512.9, "AlgoOrdNo": "",
    "OffMktFlag": "0", "OrderDateTime": "2026-10-07 10:15:29", "ExchOrderTime": "2026-10-07 10:15:29",
    "LastUpdatedTime": "2026-10-07 10:15:31", "Remarks": "NR", "MktType": "NL", "ReasonDescription": "CONFIRMED",
    "LegNo": 1, "Instrument": "EQUITY", "Symbol": "INFY", "ProductName": "INTRADAY", "Status": "PENDING", "LotSize": 1,
    "StrikePrice": 0, "ExpiryDate": "0001-01-01 00:00:00", "OptType": "XX", "DisplayName": "Infosys",
    "Isin": "INE009A01021", "Series": "EQ", "GoodTillDaysDate": "2026-10-07", "RefLtp": 1512.5, "TickSize": 0.1,
    "AlgoId": "0", "Multiplier": 1, "CorrelationId": "bot7-000123",
}  # fmt: skip
"""As the documentation has it."""

ON_THE_WIRE = {
    "exchange": "NSE", "segment": "E", "source": "P", "securityId": "1594", "clientId": CLIENT, "exchOrderNo": "0",
    "orderNo": "412610070154", "product": "I", "txnType": "B", "orderType": "MKT", "validity": "DAY", "quantity": 40,
    "remainingQuantity": 40, "strategyId": "NA", "offMktFlag": "0", "orderDateTime": "2026-10-07 10:15:29",
    "exchOrderTime": "0001-01-01 00:00:00", "lastUpdatedTime": "2026-10-07 10:15:29", "remarks": " ", "mktType": "NL",
    "reasonDescription": "RMS:412610070154:fund shortfall", "legNo": 1, "instrument": "EQUITY", "symbol": "INFY",
    "productName": "INTRADAY", "status": "Rejected", "lotSize": 1, "expiryDate": "0001-01-01 00:00:00",
    "optType": "XX", "displayName": "Infosys", "isin": "INE009A01021", "series": "EQ",
    "goodTillDaysDate": "2026-10-07", "refLtp": 1512.5, "tickSize": 0.1, "algoId": "0", "multiplier": 1,
    "correlationId": "NA",
}  # fmt: skip
"""As it comes: keys in the other case, no zeros, words in Title case."""


def alert(**data):
    """One message about an order, `ON_THE_WIRE` with changes; None leaves a key out."""
    data = {key: value for key, value in (ON_THE_WIRE | data).items() if value is not None}
    return {"Data": data, "Type": "order_alert"}
