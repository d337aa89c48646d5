import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.observability.redaction import HIDDEN, Redactor, _around_cuts
from natya.config.secrets import Secret
from natya.domain.shown import LEFT_OUT, shortened

CANARY = "canary-7f3a91"
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@pytest.fixture
def redactor():
    return Redactor([Secret(CANARY), Secret("")])


class TestASecretValue:
    @pytest.mark.parametrize(
        "value",
        [
            CANARY,
            f"header {CANARY}, twice {CANARY}",
            [{"deep": (CANARY,)}],
            {CANARY: 1},
            ValueError(CANARY),
            CANARY.encode(),
            Secret(CANARY),
        ],
        ids=["alone", "in a text", "nested", "as a key", "in an error", "as bytes", "wrapped"],
    )
    def test_is_hidden_wherever_it_stands(self, redactor, value):
        assert CANARY not in msgspec.json.encode(redactor.field("reason", value)).decode()

    @given(before=st.text(), after=st.text())
    def test_is_hidden_in_every_text(self, before, after):
        assert CANARY not in Redactor([Secret(CANARY)]).text(before + CANARY + after)

    @pytest.mark.parametrize("length", [80, 121, 200])
    def test_of_which_a_half_was_left_out_is_hidden_by_what_is_left(self, length):
        filling, redactor = "x" * 300, Redactor([Secret(CANARY)])
        for at in range(301):
            cut = shortened(filling[:at] + CANARY + filling[at:], length)

            shown = redactor.text(cut)
            assert not any(CANARY[start : start + 6] in shown for start in range(len(CANARY) - 5))
            assert "left out" in shown
            assert {*shown.replace(HIDDEN, "")} <= {*cut}
            assert shown.count("x") == cut.count("x")

    def test_of_which_a_half_stands_where_nothing_was_left_out_is_none(self, redactor):
        cut = shortened("x" * 300, 80)
        text = f"{CANARY[-8:]} {cut} {CANARY[:8]}"

        assert redactor.text(text) == text

    def test_that_begins_another_does_not_leave_the_rest_of_it(self):
        redactor = Redactor([Secret(CANARY), Secret(f"{CANARY}-and-more")])

        assert redactor.text(f"a {CANARY}-and-more b {CANARY} c") == f"a {HIDDEN} b {HIDDEN} c"

    @pytest.mark.parametrize("short", ["a", "12345"])
    def test_that_is_short_takes_no_letters_out_of_every_line(self, short):
        assert Redactor([Secret(short)]).text(f"a day of 12345 {short}") == f"a day of 12345 {short}"

    def test_of_six_letters_is_hidden(self):
        assert Redactor([Secret("123456")]).text("of 123456") == f"of {HIDDEN}"


class TestAFieldThatIsNamedLikeASecret:
    @pytest.mark.parametrize(
        "name", ["access_token", "Authorization", "client_secret", "password", "pin", "totp_seed", "api_key", "APIKEY"]
    )
    def test_is_hidden_whatever_it_holds(self, redactor, name):
        assert redactor.field(name, "x") == HIDDEN
        assert redactor.field("outer", {name: 1}) == {name: HIDDEN}

    @pytest.mark.parametrize("name", ["client_order_id", "symbol", "opinion", "spinning", "keys"])
    def test_is_told_from_one_that_only_sounds_so(self, redactor, name):
        assert redactor.field(name, "x") == "x"


class TestAUrl:
    def test_loses_its_query(self, redactor):
        shown = redactor.text("GET wss://feed.example/v2?token=abc&clientId=1 failed")

        assert shown == f"GET wss://feed.example/v2?{HIDDEN} failed"

    def test_loses_its_user(self, redactor):
        assert redactor.text("redis://user:word@host:6379/0") == f"redis://{HIDDEN}@host:6379/0"

    def test_without_a_query_stays(self, redactor):
        assert redactor.text("https://api.example/orders/1") == "https://api.example/orders/1"


class TestWhateverElse:
    @given(value=ANYTHING)
    def test_can_be_written_as_json(self, value):
        msgspec.json.encode(Redactor().field("value", value))

    def test_stays_as_it_is(self, redactor):
        assert redactor.field("fields", {"a": 1, "b": [2.5, None, True]}) == {"a": 1, "b": [2.5, None, True]}

    def test_of_endless_depth_is_cut(self, redactor):
        endless = []
        endless.append(endless)

        assert "list" in str(redactor.field("value", endless))

    def test_that_is_no_number_becomes_null(self, redactor):
        assert msgspec.json.encode(redactor.field("price", math.nan)) == b"null"


def test_a_text_is_parted_where_something_is_left_out_and_what_says_so_lacks_nothing():
    cut = LEFT_OUT.format(1_234)

    assert _around_cuts(f"a{cut}b{cut}c") == (
        ["a", cut, "b", cut, "c"],
        [False, False, True, False, True],
        [True, False, True, False, False],
    )
    assert _around_cuts("a") == (["a"], [False], [False])
