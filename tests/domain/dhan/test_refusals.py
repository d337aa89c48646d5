"""What an error of Dhan's means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.dhan.refusals import refusal_of


def trading(code, text, kind="Order_Error"):
    return {"errorType": kind, "errorCode": code, "errorMessage": text}


def data(code, text):
    return {"data": {code: text}, "status": "failed"}


class TestAnError:
    @pytest.mark.parametrize(
        ("status", "body", "meaning", "code"),
        [
            (401, data("808", "Authentication Failed"), "token", "808"),
            (400, trading("DH-906", "Invalid Token"), "token", "DH-906"),
            (
                401,
                trading("DH-901", "Client ID or access token is invalid", "Invalid_Authentication"),
                "token",
                "DH-901",
            ),
            (401, None, "token", ""),
            (429, trading("DH-904", "Too many requests"), "throttled", "DH-904"),
            (
                429,
                data("805", "Too many requests. Further requests may result in the user being blocked."),
                "throttled",
                "805",
            ),
            (429, None, "throttled", ""),
            (400, trading("DH-905", "Invalid IP"), "address", "DH-905"),
            (403, trading("DH-911", "IP not whitelisted"), "address", "DH-911"),
            (401, data("806", "Data APIs not Subscribed"), "data", "806"),
            (401, trading("DH-902", "User has not subscribed to Data APIs"), "data", "DH-902"),
            (401, data("814", "Invalid Request"), "token", "814"),
            (400, trading("DH-905", "quantity is required"), "input", "DH-905"),
            (400, trading("DH-906", "Order is in Transit state"), "order", "DH-906"),
            (404, trading("DH-906", ""), "not_found", "DH-906"),
            (404, data("806", "Data APIs not Subscribed"), "not_found", "806"),
            (429, trading("DH-902", "User has not subscribed to Data APIs"), "throttled", "DH-902"),
            (404, {"timestamp": 1, "status": 404, "error": "Not Found", "path": "/v2/x"}, "not_found", ""),
            (500, trading("DH-908", "Internal Server Error"), "broken", "DH-908"),
            (502, None, "broken", ""),
            (
                400,
                {"errorCode": "RS-9005", "httpStatus": "BAD_REQUEST", "internalErrorMessage": "no data"},
                "input",
                "RS-9005",
            ),
            (400, [trading("DH-905", "bad")], "input", "DH-905"),
        ],
    )
    def test_means_what_its_code_its_text_or_its_status_says(self, status, body, meaning, code):
        refused = refusal_of(status, body)

        assert (refused.meaning, refused.code) == (meaning, code)

    @pytest.mark.parametrize(
        ("meaning", "codes"),
        [
            ("token", ["DH-901", "807", "808", "809", "810"]),
            ("address", ["DH-911"]),
            ("data", ["DH-902", "DH-907", "806"]),
            ("input", ["DH-903", "DH-905", "DH-910", "804", "811", "812", "813", "814"]),
            ("order", ["DH-906"]),
            ("throttled", ["DH-904", "805"]),
            ("broken", ["DH-908", "DH-909", "800"]),
        ],
    )
    def test_has_one_meaning_for_each_code_whatever_its_status(self, meaning, codes):
        for code in codes:
            assert refusal_of(400, trading(code, "no")).meaning == meaning
            if code != "DH-910":  # nothing is known of it but its status
                assert refusal_of(500, data(code, "no")).meaning == meaning

    @pytest.mark.parametrize(
        "text", ["Invalid Token", "token expired", "INVALID_AUTHENTICATION", "Token is invalid", "no access token"]
    )
    def test_that_speaks_of_the_token_is_one_of_the_token(self, text):
        assert refusal_of(400, trading("DH-905", text)).meaning == "token"

    @pytest.mark.parametrize(
        ("body", "code", "text"),
        [
            ({"data": {"805": "slow", "806": "none"}}, "805", "slow"),
            ({"data": {"805": "slow"}, "errorCode": "DH-905", "errorMessage": "bad"}, "DH-905", "bad"),
            ({"internalErrorCode": "RS-1", "internalErrorMessage": "inside", "errorType": "T"}, "RS-1", "inside"),
            ({"errorMessage": "first", "internalErrorMessage": "second", "message": "last"}, "", "first"),
            ({"errorType": "T", "error": "E", "message": "M"}, "", "T"),
            ({"error": "E", "message": "M"}, "", "E"),
            ({"message": "M"}, "", "M"),
            ({"errorCode": 905, "message": ["M"]}, "905", "list"),
            ({"data": {}}, "", ""),
            ({"data": None, "errorCode": "DH-905"}, "DH-905", ""),
            ({"data": ["805"], "message": "M"}, "", "M"),
            ({"data": "805", "message": "M"}, "", "M"),
            ([], "", ""),
            (["no"], "", ""),
            ("no", "", ""),
        ],
    )
    def test_has_the_first_code_and_the_first_words_that_say_something(self, body, code, text):
        refused = refusal_of(400, body)

        assert (refused.code, refused.text) == (code, text)

    def test_is_cut_where_it_is_longer_than_anybody_reads(self):
        refused = refusal_of(400, {"errorCode": "c" * 65, "errorMessage": "t" * 1_001})

        assert (refused.code, refused.text) == ("c" * 64, "t" * 1_000)

    @given(
        st.integers(300, 599),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=2_000),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["data", "errorCode", "errorMessage", "error"]), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
    def test_of_any_body_means_something_of_bounded_length(self, status, body):
        refused = refusal_of(status, body)

        assert refused.meaning
        assert len(refused.code) <= 64
        assert len(refused.text) <= 1_000
