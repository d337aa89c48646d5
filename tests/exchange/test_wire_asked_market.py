"""What each endpoint of quotes and charts asks of the market, and what it answers; no server."""

import pytest
from natya_asked_exchange import AT_NS, ask, asked

from natya.actors.exchange.wire.application import query_of
from natya.domain.dhan.market.charts import Chart
from natya.domain.time import SECOND_NS

CHART = Chart(open=(1,), high=(2,), low=(3,), close=(4,), volume=(5,), timestamp=(6,))
OF_INFY = {"securityId": "1594", "exchangeSegment": "NSE_EQ", "instrument": "EQUITY"}
DAYS = {"fromDate": "2026-09-28", "toDate": "2026-09-29"}
DAY_S = 86_400
MIDNIGHT_NS = AT_NS - 33_300 * SECOND_NS


class TestAChart:
    def test_of_days_is_until_before_the_last_and_one_of_minutes_with_it(self):
        told = {"daily": CHART, "chart": CHART}
        key, end_ns = ("NSE_EQ", "1594"), MIDNIGHT_NS + DAY_S * SECOND_NS

        assert asked("POST /charts/historical", OF_INFY | DAYS, told=told) == ("daily", key, MIDNIGHT_NS, end_ns)
        minutes = OF_INFY | DAYS | {"interval": "5"}
        assert asked("POST /charts/intraday", minutes, told=told) == (
            *("chart", key, 300 * SECOND_NS, MIDNIGHT_NS),
            end_ns + DAY_S * SECOND_NS,
        )

    @pytest.mark.parametrize("interval", ["1", 5, "15", 25, "30", "60", 3, "2", "", "day"])
    def test_of_minutes_has_those_that_either_document_names(self, interval):
        status, _, calls = ask("POST /charts/intraday", OF_INFY | DAYS | {"interval": interval}, told={"chart": CHART})

        is_one = str(interval) in {"1", "5", "15", "25", "30", "60"}
        assert (status, [length for _, _, length, *_ in calls]) == (
            (200, [int(interval) * 60 * SECOND_NS]) if is_one else (400, [])
        )

    @pytest.mark.parametrize("line", ["POST /charts/historical", "POST /charts/intraday"])
    def test_has_open_interest_only_where_it_is_asked_for(self, line):
        body = OF_INFY | DAYS | {"interval": "1"}
        told = {"daily": CHART, "chart": CHART}
        columns = {name: [float(getattr(CHART, name)[0])] for name in ("open", "high", "low", "close", "volume")}
        columns["timestamp"] = [6.0]

        assert ask(line, body, told=told)[1] == ask(line, body | {"oi": False}, told=told)[1] == columns
        assert ask(line, body | {"oi": True}, told=told)[1] == columns | {"open_interest": [0.0]}

    @pytest.mark.parametrize(
        ("line", "until", "is_taken"),
        [
            ("POST /charts/historical", "2026-09-28", True),
            ("POST /charts/historical", "2026-09-27", False),
            ("POST /charts/intraday", "2026-09-27", False),
            ("POST /charts/intraday", "2026-12-27", True),
            ("POST /charts/intraday", "2026-12-28", False),
            ("POST /charts/rollingoption", "2026-09-27", False),
            ("POST /charts/rollingoption", "2026-11-12", True),
            ("POST /charts/rollingoption", "2026-11-13", False),
        ],
    )
    def test_is_of_a_range_in_order_and_not_too_long(self, line, until, is_taken):
        body = {**OF_INFY, **DAYS, "toDate": until, "interval": "1"}
        if "rolling" in line:
            body |= {"securityId": 13, "exchangeSegment": "NSE_FNO", "instrument": "OPTIDX", "expiryFlag": "MONTH"}
            body |= {"expiryCode": 1, "strike": "ATM", "drvOptionType": "PUT", "requiredData": ["close"]}

        status, told, _ = ask(line, body, told={"daily": CHART, "chart": CHART})
        assert status == (200 if is_taken else 400)
        if is_taken and "rolling" in line:
            assert (told["data"]["ce"], told["data"]["pe"]["close"]) == (None, [])


class TestQuotes:
    def test_are_of_segments_that_there_are_and_numbers_that_can_be(self):
        body = {"NOWHERE": ["x"], "NSE_EQ": [1594, "11536"], "IDX_I": [13]}
        wanted = {"NSE_EQ": (1594, 11536), "IDX_I": (13,)}

        for line, view in (("ltp", "last_prices"), ("ohlc", "ohlc"), ("quote", "quotes")):
            assert asked(f"POST /marketfeed/{line}", body, told={view: {}}) == (view, wanted)

    @pytest.mark.parametrize(
        ("numbers", "code"),
        [
            ("1594", "813"),
            ([True], "813"),
            ([1.5], "813"),
            (["1" * 11], "813"),
            (["0" * 10 + "1"], "813"),
            (["1a"], "813"),
            (["\uff11\uff12"], "813"),
            ([-1], "813"),
            ([1 << 31], "813"),
            ([*range(1_001)], "804"),
        ],
        ids=lambda each: str(each)[:20],
    )
    def test_of_what_cannot_be_are_asked_of_nobody(self, numbers, code):
        status, told, calls = ask("POST /marketfeed/ltp", {"NSE_EQ": numbers})

        assert (status, [*told["data"]], calls) == (400, [code], [])

    @pytest.mark.parametrize("numbers", [[0], [(1 << 31) - 1], [*range(1_000)]], ids=len)
    def test_are_of_up_to_a_thousand(self, numbers):
        assert ask("POST /marketfeed/ltp", {"NSE_EQ": numbers}, told={"last_prices": {}})[0] == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (b"a=1&b=&a=2", {"a": "2", "b": ""}),
        (b"a=%20x", {"a": " x"}),
        (b"\xff=1", {}),
        (b"&".join(b"a=1" for _ in range(1_000)), {}),
    ],
    ids=lambda each: str(each)[:12],
)
def test_a_query_is_read_or_is_none(query, found):
    assert query_of(query) == found
