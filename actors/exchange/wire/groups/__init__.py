"""The endpoints, one file for each group of `domain.dhan`; each is a coroutine function of the wire and a request.

orders      orders of all plain kinds, and trades of the day
legs        super orders and forever orders
alerts      conditional orders, several orders in one request
portfolio   holdings, positions, funds, margins, the ledger, past trades
control     kill switch, exit at a profit or a loss, profile, tokens, addresses, eDIS
market      quotes, charts, option chains
rows        rows of the account as rows of Dhan's
"""
