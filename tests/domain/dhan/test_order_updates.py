"""Messages of the socket of order updates: read in both cases of their keys, and refused without a crash."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_dhan import ANYTHING
from natya_updates import CLIENT, DOCUMENTED, ON_THE_WIRE, alert

from natya.domain.dhan.streams.order_updates import OrderUpdate, login_request, read_update
from natya.domain.dhan.tolerant import MalformedAnswerError


def update_of(message, client_id=CLIENT):
    return read_update(json.dumps(message), client_id)


class TestAnUpdate:
    def test_is_read_as_it_is_documented(self):
        assert update_of({"Data": DOCUMENTED, "Type": "order_alert"}) == OrderUpdate(
            order_no="412610070153",
            status="PENDING",
            client_id=CLIENT,
            correlation_id="bot7-000123",
            quantity=40,
            traded_qty=15,
        )

    def test_is_read_as_it_comes(self):
        assert update_of(alert()) == OrderUpdate(
            order_no="412610070154", status="REJECTED", client_id=CLIENT, correlation_id="", quantity=40, traded_qty=0
        )

    def test_is_read_with_keys_of_both_cases_at_once(self):
        both = alert(OrderNo="412610070154", Status="Rejected", TradedQty=0, CorrelationId="bot7-000123")

        assert update_of(both).correlation_id == "bot7-000123"

    def test_is_read_with_a_key_twice(self):
        text = json.dumps(alert()).replace('"remarks": " "', '"remarks": "x", "remarks": "NR"')

        assert text.count('"remarks"') == 2
        assert read_update(text, CLIENT).order_no == "412610070154"

    @pytest.mark.parametrize("word", ["Traded", "TRADED", "traded"])
    def test_has_its_status_in_any_case(self, word):
        assert update_of(alert(status=word)).status == "TRADED"

    def test_keeps_a_status_that_nobody_knows(self):
        assert update_of(alert(status="Partly Done")).status == "Partly Done"

    def test_is_not_lost_for_a_field_that_nobody_acts_on(self):
        assert update_of(alert(avgTradedPrice="many", lastUpdatedTime=["never"])).order_no == "412610070154"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"orderNo": None}, "orderNo"),
            ({"status": None}, "status"),
            ({"tradedQty": -1}, "tradedQty"),
            ({"tradedQty": 1.5}, "tradedQty"),
            ({"clientId": "1100099999"}, "of another"),
        ],
    )
    def test_that_cannot_be_meant_is_refused(self, changes, reason):
        with pytest.raises(MalformedAnswerError, match=reason):
            update_of(alert(**changes))

    def test_of_another_account_is_refused_without_its_number(self):
        with pytest.raises(MalformedAnswerError) as refusal:
            update_of(alert(clientId="1100099999"))

        assert "1100099999" not in str(refusal.value)


class TestAnyMessage:
    def test_of_anybody_is_read_where_nobody_is_named(self):
        assert update_of(alert(clientId="1100099999"), "").client_id == "1100099999"
        assert update_of(alert(clientId="")).client_id == ""

    def test_of_another_type_is_about_no_order(self):
        assert update_of({"Data": {"any": "thing"}, "Type": "heartbeat"}) is None

    @given(message=ANYTHING)
    def test_that_is_json_is_an_update_or_nothing_or_refused(self, message):
        text = json.dumps(message)
        try:
            read = read_update(text, CLIENT)
        except MalformedAnswerError:
            return

        assert read is None  # an update is not met by chance

    @given(changes=st.dictionaries(st.sampled_from([*ON_THE_WIRE, *DOCUMENTED]), ANYTHING, max_size=4))
    def test_that_was_an_update_is_one_or_refused(self, changes):
        try:
            read = update_of({"Data": ON_THE_WIRE | changes, "Type": "order_alert"})
        except MalformedAnswerError:
            return

        assert read.order_no
        assert read.traded_qty >= 0

    @given(text=st.binary(max_size=60) | st.text(max_size=60))
    def test_that_is_none_is_refused_or_about_no_order(self, text):
        try:
            assert read_update(text, CLIENT) is None
        except MalformedAnswerError as refusal:
            assert str(refusal)  # noqa: PT017  both ends are right

    def test_that_is_nested_without_end_is_refused(self):
        with pytest.raises(MalformedAnswerError):
            read_update("[" * 100_000, CLIENT)


def test_the_login_is_what_the_service_wants():
    assert json.loads(login_request(CLIENT, "a-token")) == {
        "LoginReq": {"MsgCode": 42, "ClientId": CLIENT, "Token": "a-token"},
        "UserType": "SELF",
    }
