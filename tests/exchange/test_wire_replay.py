"""The exchange at a recording: its time is that of the recording, and goes on after its end."""

import pytest
from natya_wire import Served

CLOSE = 1529.5  # no price on the way there is the same: seen once, the recording is over


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exchange")
    recording = folder / "candles.csv"
    prices = [(minute, 1500 + minute) for minute in range(30)]
    rows = [f"2026-11-25 09:{15 + minute}:00,INFY,{p},{p + 1},{p - 1},{p},100" for minute, p in prices]
    rows[-1] = f"2026-11-25 09:44:00,INFY,1529,1530,1528,{CLOSE},100"
    rows += [f"2026-11-25 09:{15 + minute}:00,NEWCO,100,101,99,100.5,100" for minute in range(30)]
    recording.write_text("\n".join(["date,symbol,open,high,low,close,volume", *rows, ""]))
    market = {"feed.source": "replay", "feed.recording": str(recording), "feed.speed": 0.0}
    served = Served(
        folder / "data",
        has_market=True,
        **market,
        **{"exchange.always_open": False, "exchange.acknowledgement_delay_s": 0.02},
    )
    while len([each for each in served.ok("GET", "/__market") if each["lastPrice"] in {CLOSE, 100.5}]) < 2:
        pass
    yield served
    served.stop()


def test_an_order_after_the_end_is_not_in_transit_for_ever_and_trades_at_the_last_price(served):
    order_id = served.place(orderType="MARKET", price=0)
    row = served.settled(order_id)

    assert (row["orderStatus"], row["averageTradedPrice"]) == ("TRADED", CLOSE)
    assert row["createTime"].startswith("2026-11-25 09:4")


def test_its_minutes_are_charted(served):
    wanted = {"securityId": "1594", "exchangeSegment": "NSE_EQ", "instrument": "EQUITY", "interval": "15"}
    chart = served.ok("POST", "/v2/charts/intraday", {**wanted, "fromDate": "2026-11-25", "toDate": "2026-11-25"})

    assert (chart["open"], chart["high"]) == ([1500.0, 1515.0], [1515.0, 1530.0])
    assert (chart["low"], chart["close"]) == ([1499.0, 1514.0], [1514.0, CLOSE])
    assert chart["volume"] == [1500.0, 1500.0]


def test_a_symbol_that_no_list_knows_is_traded_by_an_id_of_its_own(served):
    (listed,) = [each for each in served.ok("GET", "/__market") if each["symbol"] == "NEWCO"]
    order_id = served.place(orderType="MARKET", price=0, securityId=listed["securityId"])

    assert 900_000_000 <= int(listed["securityId"]) < 1_000_000_000
    assert served.settled(order_id)["averageTradedPrice"] == 100.5


def test_a_price_of_what_it_has_played_may_be_set_by_hand_when_it_is_over(served):
    assert served.ask("POST", "/__market", {"symbol": "INFY", "price": CLOSE})[0] == 200
