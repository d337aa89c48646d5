"""A paper exchange that is served over HTTP in this process, with prices by hand, and what a client says to it."""

import http.client
import json

from natya import load_settings
from natya.config.secrets import Secret
from natya.exchange_system import ExchangeSystem, Serving

TOKEN = "a-token-of-a-test"  # noqa: S105  of a test
CLIENT = "1000000001"


class Served:
    """The system, and plain HTTP to it."""

    def __init__(self, data_dir, *, is_limited=False, has_faults=False, has_market=False, **changes):
        settings = load_settings(
            "paper",
            environment={},
            overrides={
                "system.data_dir": str(data_dir),
                "exchange.always_open": True,
                "exchange.acknowledgement_delay_s": 0.0,
                **changes,
            },
        )
        serving = Serving(
            token=Secret(TOKEN), client_id=CLIENT, has_market=has_market, has_faults=has_faults, is_limited=is_limited
        )
        self.system = ExchangeSystem(settings, serving)
        self.system.start()
        self.rest = self.system.found().rest
        self.port = int(self.rest.split(":")[2].split("/")[0])
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def stop(self):
        self._connection.close()
        self.system.stop()

    def ask(self, method, path, body=None, headers=None):
        """The status and the decoded body of the answer."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        given = {"access-token": TOKEN, "Content-Type": "application/json"} if headers is None else headers
        self._connection.request(method, path, data, given)
        answer = self._connection.getresponse()
        said = answer.read()
        return answer.status, json.loads(said) if said else None

    def text(self, path, *, headers=None):
        """The status, the headers and the text of an answer that is not JSON."""
        self._connection.request("GET", path, headers=headers or {})
        answer = self._connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()

    def ok(self, method, path, body=None):
        """The decoded body of an answer that must be a good one."""
        status, said = self.ask(method, path, body)
        assert status < 300, (status, said)
        return said

    def list_instrument(self, **definition):
        return self.ok("POST", "/__market/instruments", definition)

    def price(self, price, symbol="INFY", **fields):
        return self.ok("POST", "/__market", {"symbol": symbol, "price": price, **fields})

    def place(self, **fields):
        return self.ok("POST", "/v2/orders", an_order(**fields))["orderId"]

    def order(self, order_id):
        (row,) = self.ok("GET", f"/v2/orders/{order_id}")
        return row

    def settled(self, order_id):
        """The order when it is in transit no more; each look lets the exchange's time pass."""
        row = self.order(order_id)
        while row["orderStatus"] == "TRANSIT":
            row = self.order(order_id)
        return row


def an_order(**fields):
    return {
        "dhanClientId": CLIENT,
        "transactionType": "BUY",
        "exchangeSegment": "NSE_EQ",
        "productType": "INTRADAY",
        "orderType": "LIMIT",
        "validity": "DAY",
        "securityId": "1594",
        "quantity": 10,
        "disclosedQuantity": 0,
        "price": 1500.0,
        "triggerPrice": 0.0,
        "afterMarketOrder": False,
        **fields,
    }
