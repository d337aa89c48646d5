"""A broker of one's own as an adapter: its requests, what each answer means, and that no order leaves twice.

python examples/own_broker.py        # places an order at a broker that it makes up, on this machine
"""

import http.server
import json
import threading
from typing import Any, ClassVar

import natya

Answer = natya.Pending[natya.ExternalServiceResult]
ACCOUNT = natya.Endpoint(name="account", kind="reads", read=True, attempts_max=3)
WRITE = natya.Endpoint(name="orders", kind="orders", read=False)
REFUSALS = range(400, 500)
SHARES_MAX = 100  # what Acme takes in one order
LET_IN = "acme"  # its only token


def outcome(result: natya.ExternalServiceResult) -> natya.ExternalServiceResult:
    """Tell the four outcomes apart of what does something; what is in doubt is looked up, and never sent again."""
    fields = {name: getattr(result, name) for name in result.__struct_fields__}
    if result.success:
        return natya.WriteAccepted(**fields)
    if result.sent == "no":
        return natya.WriteNotSent(**fields)
    if result.status_code in REFUSALS:
        return natya.WriteRefused(**fields, text=result.error or "")
    return natya.WriteUnknown(**fields)


class AcmeBroker(natya.BaseExternalAdapter, natya.BrokerAdapter):
    """`async with` or `with`; each method returns what is awaited, or read by `result()`."""

    service = "acme"
    allowances: ClassVar = {  # by kind: at most so many requests in so many nanoseconds
        "orders": natya.Allowance(quotas=(natya.Quota(10, 1_000_000_000),)),
        "reads": natya.Allowance(quotas=(natya.Quota(5, 1_000_000_000),)),
    }

    def __init__(self, base_url: str, token: str) -> None:
        super().__init__()
        self.base_url, self._token = base_url, token
        self._placing = threading.Lock()
        self._placed: dict[str, Answer] = {}

    def headers(self) -> dict[str, str]:
        """Return what each request has besides."""
        return {"Authorization": f"Bearer {self._token}"}

    def authenticate(self, credentials: natya.BrokerCredentials) -> natya.Pending[bool]:
        """Use these from now on, and ask whether they are good."""
        self._token = credentials.access_token.reveal()
        return self.call(ACCOUNT, "GET", "/account").then(lambda result: result.success)

    def place_order(self, order: natya.OrderRequest) -> Answer:
        """Place it, once: a second call with it, from any thread, has the answer of the first."""
        said = {"id": order.client_order_id, "symbol": order.symbol, "side": order.side, "quantity": order.quantity}
        with self._placing:
            if order.client_order_id not in self._placed:
                left = self.call(WRITE, "POST", "/orders", json=said | {"price": order.limit_price}).then(outcome)
                self._placed[order.client_order_id] = left
            return self._placed[order.client_order_id]

    def modify_order(self, order_id: str, order: natya.OrderRequest) -> Answer:
        """Change an open order."""
        said = {"quantity": order.quantity, "price": order.limit_price}
        return self.call(WRITE, "PUT", f"/orders/{order_id}", json=said).then(outcome)

    def cancel_order(self, order_id: str) -> Answer:
        """Cancel an order; it overtakes what waits for the limits."""
        return self.call(WRITE, "DELETE", f"/orders/{order_id}", urgent=True).then(outcome)

    def resolve(self, order: natya.OrderRequest) -> Answer:
        """Look up what became of an order in doubt."""
        return self.call(ACCOUNT, "GET", "/orders", query={"id": order.client_order_id})

    def get_orders(self) -> Answer:
        """Read the orders of the day."""
        return self.call(ACCOUNT, "GET", "/orders")

    def get_order(self, order_id: str) -> Answer:
        """Read one order."""
        return self.call(ACCOUNT, "GET", f"/orders/{order_id}")

    def get_trades(self, order_id: str = "") -> Answer:
        """Read the trades of the day, or of one order."""
        return self.call(ACCOUNT, "GET", "/trades", query={"order": order_id} if order_id else None)

    def get_positions(self) -> Answer:
        """Read the positions."""
        return self.call(ACCOUNT, "GET", "/positions")

    def get_holdings(self) -> Answer:
        """Read what is in the depository."""
        return self.call(ACCOUNT, "GET", "/holdings")

    def get_funds(self) -> Answer:
        """Read what money there is."""
        return self.call(ACCOUNT, "GET", "/funds")


class Acme(http.server.BaseHTTPRequestHandler):
    """The broker, made up: it takes orders, and lists them."""

    orders: ClassVar[list[Any]] = []

    def do_GET(self) -> None:
        """List them, for who has the token."""
        self._answer(200 if self.headers["Authorization"] == f"Bearer {LET_IN}" else 401, self.orders)

    def do_POST(self) -> None:
        """Take an order."""
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if order["quantity"] > SHARES_MAX:
            self._answer(400, {"error": f"at most {SHARES_MAX} shares"})
        else:
            self.orders.append(order)
            self._answer(200, {"number": len(self.orders)})

    def _answer(self, status: int, said: object) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write nothing."""


def main() -> None:
    """Let Acme know us, and place one order it takes, twice, and one that it refuses."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Acme)
    threading.Thread(target=server.serve_forever).start()
    try:
        with AcmeBroker(f"http://127.0.0.1:{server.server_port}", "") as broker:
            credentials = natya.BrokerCredentials(client_id="me", access_token=LET_IN)
            print(f"known there: {broker.authenticate(credentials).result()}")
            order = natya.OrderRequest(symbol="INFY", side="BUY", quantity=10, order_type="LIMIT", limit_price=1_500.0)
            large = natya.OrderRequest(symbol="INFY", side="BUY", quantity=1_000)
            for request in (order, order, large):
                done = broker.place_order(request).result()
                print(type(done).__name__, done.data if done.success else done.status_code)
            print(f"orders there: {len(broker.get_orders().result().data)}")
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
