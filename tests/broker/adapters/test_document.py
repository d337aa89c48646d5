"""The user's own snippets on external services, with nothing changed but the root of their imports."""

import asyncio
import re
from pathlib import Path

import pytest
from natya_wire import CLIENT, TOKEN, Served

from natya import OrderRequest, WriteAccepted, WriteNotSent

README = Path(__file__).resolve().parents[3] / "README.md"
SNIPPET = """
from natya import DhanBrokerAdapter, BrokerCredentials, OrderRequest

async def main():
    # Create broker adapter
    credentials = BrokerCredentials(
        client_id="your_client_id",
        access_token="your_access_token"
    )

    async with DhanBrokerAdapter("client_id", "access_token") as broker:
        # Authenticate
        authenticated = await broker.authenticate(credentials)

        # Place order
        order = OrderRequest(
            symbol="AAPL",
            side="BUY",
            quantity=10,
            order_type="MARKET"
        )
        response = await broker.place_order(order)
    return authenticated, response
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("exchange"))
    served.price(1500.0, bids=[[1499.5, 500]], asks=[[1500.5, 500]])
    yield served
    served.stop()


def run(snippet):
    names = {}
    exec(snippet, names)  # noqa: S102  the document's own
    return asyncio.run(names["main"]())


class TestTheDocument:
    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch, served, tmp_path):
        monkeypatch.setenv("BROKER_BASE_URL", served.rest)
        monkeypatch.setenv("NATYA_SYSTEM__DATA_DIR", str(tmp_path))

    def test_runs_as_it_stands_and_no_stranger_is_let_in(self):
        authenticated, response = run(SNIPPET)

        assert authenticated is False
        assert isinstance(response, WriteNotSent)
        assert (response.success, response.status_code, response.sent) == (False, None, "no")
        assert "'AAPL'" in response.error

    def test_places_an_order_for_who_is_let_in(self, served):
        names = {"your_client_id": CLIENT, "your_access_token": TOKEN, '"client_id"': f'"{CLIENT}"', "AAPL": "INFY"}
        snippet = SNIPPET
        for name, value in names.items():
            snippet = snippet.replace(name, value)

        authenticated, response = run(snippet)

        assert authenticated is True
        assert isinstance(response, WriteAccepted)
        assert response.status_code == 200
        assert response.response_time > 0
        assert served.settled(response.data.order_id)["orderStatus"] == "TRADED"

    def test_of_the_readme_does_so_too(self, monkeypatch):
        monkeypatch.setenv("BROKER_CLIENT_ID", CLIENT)
        monkeypatch.setenv("BROKER_ACCESS_TOKEN", TOKEN)
        blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        (snippet,) = [block for block in blocks if "DhanBrokerAdapter" in block]

        order = run(snippet).data

        assert (order.trading_symbol, order.quantity) == ("INFY", 10)


def test_an_order_has_a_name_of_its_own():
    first, second = (OrderRequest(symbol="INFY", side="BUY", quantity=10) for _ in range(2))

    assert first.client_order_id != second.client_order_id
    assert len(first.client_order_id) == 25
