"""The user's own snippets on external services, with nothing changed but the root of their imports."""

import asyncio
from pathlib import Path

import pytest
from natya_document import DOCUMENT, blocks
from natya_snippets import run, snippets_of
from natya_wire import CLIENT, TOKEN, Served

from natya import OrderRequest, WriteAccepted, WriteNotSent

README = Path(__file__).resolve().parents[3] / "README.md"
SNIPPET = blocks()["External Service Usage"]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("exchange"))
    served.price(1500.0, bids=[[1499.5, 500]], asks=[[1500.5, 500]])
    yield served
    served.stop()


def played(snippet):
    names = {"OrderRequest": OrderRequest}
    run(snippet, DOCUMENT, names)
    return names


class TestTheDocument:
    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch, served, tmp_path):
        monkeypatch.setenv("BROKER_BASE_URL", served.rest)
        monkeypatch.setenv("NATYA_SYSTEM__DATA_DIR", str(tmp_path))

    def test_runs_as_it_stands_and_no_stranger_is_let_in(self):
        names = played(SNIPPET)
        authenticated, response = names["authenticated"], names["response"]

        assert authenticated is False
        assert isinstance(response, WriteNotSent)
        assert (response.success, response.status_code, response.sent) == (False, None, "no")
        assert "'AAPL'" in response.error

    def test_places_an_order_for_who_is_let_in(self, served):
        given = {"your_client_id": CLIENT, "your_access_token": TOKEN, '"client_id"': f'"{CLIENT}"', "AAPL": "INFY"}
        snippet = SNIPPET
        for name, value in given.items():
            snippet = snippet.replace(name, value)

        names = played(snippet)
        authenticated, response = names["authenticated"], names["response"]

        assert authenticated is True
        assert isinstance(response, WriteAccepted)
        assert response.status_code == 200
        assert response.response_time > 0
        assert served.settled(response.data.order_id)["orderStatus"] == "TRADED"

    def test_of_the_readme_does_so_too(self, monkeypatch):
        monkeypatch.setenv("BROKER_CLIENT_ID", CLIENT)
        monkeypatch.setenv("BROKER_ACCESS_TOKEN", TOKEN)
        (snippet,) = [each.parsed for each in snippets_of(README, monkeypatch)[0] if "DhanBrokerAdapter" in each.parsed]

        order = asyncio.run(played(snippet)["main"]()).data

        assert (order.trading_symbol, order.quantity) == ("INFY", 10)


def test_an_order_has_a_name_of_its_own():
    first, second = (OrderRequest(symbol="INFY", side="BUY", quantity=10) for _ in range(2))

    assert first.client_order_id != second.client_order_id
    assert len(first.client_order_id) == 25
