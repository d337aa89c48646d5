"""The official client's sockets at the exchange, with only their addresses changed."""

import threading
from queue import SimpleQueue

import pytest
from dhanhq import DhanContext, FullDepth, MarketFeed, OrderUpdate
from natya_wire import CLIENT, TOKEN, Served


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("exchange"))
    served.found = served.system.found()
    yield served
    served.stop()


@pytest.fixture
def context():
    return DhanContext(CLIENT, TOKEN)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [(MarketFeed.Ticker, "Ticker Data"), (MarketFeed.Quote, "Quote Data"), (MarketFeed.Full, "Full Data")],
)
def test_its_market_feed_reads_what_it_has_asked_for(served, context, monkeypatch, mode, kind):
    monkeypatch.setattr(MarketFeed, "market_feed_wss", served.found.feed)
    served.price(1500.0, bids=[[1499.9, 10]], asks=[[1500.1, 12]], previousClose=1490.0)
    feed = MarketFeed(context, [(MarketFeed.NSE, "1594", mode)], "v2")
    feed.run_forever()
    try:
        close, first = feed.get_data(), feed.get_data()
        served.price(1501.0, bids=[[1500.9, 10]], asks=[[1501.1, 12]])
        second = feed.get_data()
    finally:
        feed.close_connection()
        feed.loop.close()
    assert (close["type"], close["prev_close"]) == ("Previous Close", "1490.00")
    assert (first["type"], first["LTP"], first["security_id"]) == (kind, "1500.00", 1594)
    assert (second["type"], second["LTP"]) == (kind, "1501.00")
    if mode == MarketFeed.Full:
        assert second["depth"][0]["bid_price"] == "1500.90"


def first_book(depth):
    told = []
    depth.on_ticks = told.append
    depth.run_forever()
    try:
        while not told:
            depth.get_data()
    finally:
        depth.loop.run_until_complete(depth.ws.close())
        depth.loop.close()
    (book,) = told
    return book


def test_its_depth_reads_twenty_levels(served, context, monkeypatch):
    monkeypatch.setattr(FullDepth, "depth_20_feed_wss", served.found.depth)
    served.price(1500.0, bids=[[1499.9, 10]], asks=[[1500.1, 12]])
    depth = FullDepth(context, [(FullDepth.NSE, "1594")])
    book = first_book(depth)
    assert book["security_id"] == 1594
    assert len(book["depth"]) == 20
    assert "price:1499.90, quantity:10" in book["depth"][0]


def test_its_depth_reads_two_hundred_levels(served, context, monkeypatch):
    monkeypatch.setattr(FullDepth, "depth_200_feed_wss", served.found.depth_200)
    served.price(1500.0, bids=[[1499.9, 10]], asks=[[1500.1, 12]])
    depth = FullDepth(context, [(FullDepth.NSE, "1594")], 200)
    book = first_book(depth)
    (level,) = book["depth"]
    assert "price:1499.90, quantity:10" in level
    assert "price:1500.10, quantity:12" in level


def test_its_order_updates_hear_of_an_order(served, context):
    updates, heard = OrderUpdate(context), SimpleQueue()
    updates.order_feed_wss = served.found.order_update
    updates.on_update = heard.put
    threading.Thread(target=updates.connect_to_dhan_websocket_sync, daemon=True).start()
    served.price(1500.0)
    statuses = []
    while "Traded" not in statuses:  # the client says nothing of when it is logged in: orders before it are not told
        served.place(orderType="MARKET", price=0)
        while not heard.empty() or (statuses and statuses[-1] != "Traded"):
            message = heard.get(timeout=10)
            assert message["Type"] == "order_alert"
            statuses.append(message["Data"]["status"])
    assert statuses[-1] == "Traded"


def test_its_market_feed_of_the_protocol_before_reads_books(served, context, monkeypatch):
    monkeypatch.setattr(MarketFeed, "market_feed_wss", served.found.feed)
    served.price(1500.0, bids=[[1499.9, 10]], asks=[[1500.1, 12]])
    feed = MarketFeed(context, [(MarketFeed.NSE, "1594", MarketFeed.Depth)], "v1")
    feed.run_forever()
    try:
        while (told := feed.get_data())["type"] != "Market Depth":
            pass
    finally:
        feed.close_connection()
        feed.loop.close()
    assert (told["security_id"], told["LTP"]) == (1594, 1500.0)
    assert (told["depth"][0]["bid_price"], told["depth"][0]["ask_quantity"]) == ("1499.90", 12)
