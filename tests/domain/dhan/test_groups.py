"""What each group of Dhan's endpoints is asked and answers: the documented examples, there and back."""

import importlib
import inspect
import math
import pkgutil

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_dhan import ANSWERS, ANYTHING, REQUESTS, ROWS

from natya.domain import dhan
from natya.domain.dhan.market.option_chain import OptionChain, OptionChainData, StrikeQuotes
from natya.domain.dhan.market.quotes import CircuitLimits, QuotesRequest, quotes_requests
from natya.domain.dhan.moments import time_ns
from natya.domain.dhan.tolerant import MalformedAnswerError, read
from natya.domain.dhan.trading.alerts import AlertRow
from natya.domain.dhan.trading.super_orders import modified_entry, modified_stop, modified_target
from natya.domain.dhan.writing import InvalidRequestError, body_of, written

KINDS = sorted({kind for kind, _ in ANSWERS}, key=lambda kind: kind.__name__)
EVERY_KIND = sorted(
    {
        each
        for module in pkgutil.walk_packages(dhan.__path__, f"{dhan.__name__}.")
        for each in vars(importlib.import_module(module.name)).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct)
    },
    key=lambda kind: kind.__name__,
)
NUMBERS = st.integers() | st.floats(allow_nan=True) | st.sampled_from([0, 1, -1, 1e13, 1 << 63])


def id_of(value):
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("kind", EVERY_KIND, ids=id_of)
def test_nothing_asked_or_answered_has_an_amount_or_a_yes_that_was_left_out(kind):
    left_out = {each.name: each.default for each in msgspec.structs.fields(kind) if not each.required}
    left_out.pop("last_ns", None)  # of what the limits count here: before all time
    ones = {"multiplier", "lot_size"}

    assert {name for name, found in left_out.items() if isinstance(found, int | float) and found} <= ones
    assert all(left_out[name] == 1 for name in ones & left_out.keys())


OTHER_NAMES = [
    ("OrderRow", "filledQty", "filledQuantity"),
    ("OrderRow", "filledQty", "tradedQuantity"),
    ("SuperOrderRow", "filledQty", "filledQuantity"),
    ("Funds", "availabelBalance", "availableBalance"),
    ("Funds", "receiveableAmount", "receivableAmount"),
    ("MultiMargin", "exposure", "exposureMargin"),
    ("MultiMargin", "commodity", "commodityMargin"),
    ("MultiMargin", "clientId", "dhanClientId"),
    ("ForeverOrderRow", "orderType", "orderFlag"),
    ("PnlExitAck", "pnlExitStatus", "status"),
    ("EdisStatus", "clientId", "dhanClientId"),
    ("Consent", "consentAppId", "consentId"),
    ("Consent", "consentAppStatus", "consentStatus"),
]


@pytest.mark.parametrize(("name", "documented", "seen"), OTHER_NAMES)
def test_a_field_is_read_by_each_name_that_the_service_has_for_it(name, documented, seen):
    for kind, wire in ANSWERS:
        if kind.__name__ == name:
            renamed = {seen if key == documented else key: value for key, value in wire.items() if key != seen}

            assert renamed.keys() != wire.keys()
            assert read(kind, renamed) == read(kind, wire)


class TestAnAnswer:
    @pytest.mark.parametrize(("kind", "wire"), ANSWERS, ids=id_of)
    def test_is_read_and_written_as_the_service_does(self, kind, wire):
        answer = read(kind, wire)

        assert written(answer) == wire
        assert read(kind, msgspec.json.decode(msgspec.json.encode(written(answer)))) == answer

    @pytest.mark.parametrize("kind", KINDS, ids=id_of)
    def test_of_something_else_is_refused(self, kind):
        for found in ("text", 7, [], [{}, {}]):
            with pytest.raises(MalformedAnswerError, match="wanted, found"):
                read(kind, found)

    @given(st.data())
    def test_with_anything_in_any_field_is_read_within_bounds_or_refused(self, data):
        kind, wire = data.draw(st.sampled_from([each for each in ANSWERS if isinstance(each[1], dict)]))
        name = data.draw(st.sampled_from(sorted(wire)))
        try:
            answer = read(kind, {**wire, name: data.draw(ANYTHING | NUMBERS)})
        except MalformedAnswerError:
            return

        assert msgspec.convert(msgspec.to_builtins(answer, builtin_types=ROWS), kind) == answer
        assert all(math.isfinite(number) for number in numbers_in(msgspec.to_builtins(answer)))


def numbers_in(found):
    if isinstance(found, dict | list | tuple):
        for each in found.values() if isinstance(found, dict) else found:
            yield from numbers_in(each)
    elif isinstance(found, int | float):
        yield found


class TestARequest:
    @pytest.mark.parametrize(("request_", "wire"), REQUESTS, ids=lambda value: type(value).__name__)
    def test_is_written_in_full_and_read_by_the_other_side(self, request_, wire):
        body = body_of(request_)

        assert msgspec.json.decode(body) == wire
        assert read(type(request_), msgspec.json.decode(body)) == request_

    @pytest.mark.parametrize(("request_", "wire"), REQUESTS, ids=lambda value: type(value).__name__)
    def test_out_of_bounds_is_not_written(self, request_, wire):
        for name, value in msgspec.structs.asdict(request_).items():
            for wrong in (math.nan, -1, 1 << 70, "no such word\n", ["x"]):
                if value is not msgspec.UNSET:
                    with pytest.raises(InvalidRequestError, match=type(request_).__name__):
                        body_of(msgspec.structs.replace(request_, **{name: wrong}))

    def test_for_quotes_has_numbers_by_segment(self):
        assert body_of({"NSE_EQ": (1594,), "IDX_I": (13,)}, QuotesRequest) == b'{"NSE_EQ":[1594],"IDX_I":[13]}'
        for wrong in ({"NSE": (1,)}, {"NSE_EQ": ("1594",)}, {"NSE_EQ": tuple(range(1_001))}):
            with pytest.raises(InvalidRequestError):
                body_of(wrong, QuotesRequest)

    def test_for_quotes_is_divided_into_as_many_as_are_answered_at_once(self):
        bodies = [
            msgspec.json.decode(each) for each in quotes_requests([("NSE_EQ", str(each)) for each in range(2_001)])
        ]

        assert [each["NSE_EQ"] for each in bodies] == [[*range(1_000)], [*range(1_000, 2_000)], [2_000]]


@pytest.mark.parametrize(
    ("lower", "upper", "are_told"),
    [(90.0, 110.0, True), (100.0, 100.0, True), (0.0, 110.0, False), (0.0, 0.0, False), (110.0, 90.0, False)],
)
def test_a_price_band_is_one_above_nothing_and_up_to_its_upper_end(lower, upper, are_told):
    assert CircuitLimits(lower_circuit_limit=lower, upper_circuit_limit=upper).are_told is are_told


@pytest.mark.parametrize(
    ("text", "strike"),
    [("24850.000000", 24_850.0), ("0.05", 0.05), ("1000000000000", 1e12)]
    + [(each, None) for each in ("0.000000", "-1", "1000000000001", "nan", "inf", "x")],
)
def test_a_strike_is_a_number_above_0(text, strike):
    chain = OptionChain(data=OptionChainData(last_price=1.0, oc={text: StrikeQuotes()}))
    if strike is not None:
        assert list(chain.by_strike()) == [strike]
        return
    with pytest.raises(ValueError, match="a strike wanted, found"):
        chain.by_strike()


class TestAModifiedSuperOrder:
    def test_says_only_what_its_leg_has(self):
        entry = modified_entry(
            "1",
            "2",
            order_type="LIMIT",
            quantity=1,
            price=10.0,
            target_price=12.0,
            stop_loss_price=9.0,
            trailing_jump=0.5,
        )
        legs = [
            msgspec.json.decode(body_of(each))
            for each in (
                entry,
                modified_target("1", "2", target_price=12.0),
                modified_stop("1", "2", stop_loss_price=9.0, trailing_jump=0.0),
            )
        ]

        assert [sorted(set(leg) - {"dhanClientId", "orderId", "legName"}) for leg in legs] == [
            ["orderType", "price", "quantity", "stopLossPrice", "targetPrice", "trailingJump"],
            ["targetPrice"],
            ["stopLossPrice", "trailingJump"],
        ]
        assert [legs[0][name] for name in ("price", "targetPrice", "stopLossPrice")] == [10.0, 12.0, 9.0]
        assert [leg["legName"] for leg in legs] == ["ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG"]

    @pytest.mark.parametrize("made", [modified_entry, modified_target, modified_stop], ids=lambda each: each.__name__)
    def test_has_what_was_given_by_its_name(self, made):
        given_ = {name: float(number) for number, name in enumerate(inspect.signature(made).parameters, 101)}
        given_ |= {"dhan_client_id": "1", "order_id": "2"}
        found = msgspec.structs.asdict(made(**given_))

        assert {name: found[name] for name in given_} == given_


class TestAnAlert:
    def test_has_its_times_in_utc_on_the_wire_and_on_the_exchanges_clock_here(self):
        alert = read(
            AlertRow, {"alertId": "1", "alertStatus": "active", "createdTime": "2026-10-07T04:52:10Z", "lastPrice": "9"}
        )

        assert f"{alert.created_time:%H:%M:%S}" == "10:22:10"
        assert time_ns(alert.created_time) == 1_791_348_730 * 10**9
        assert (alert.alert_status, alert.last_price) == ("ACTIVE", 9.0)


class TestAnOptionChain:
    def test_is_in_the_order_of_strikes(self):
        side = {"last_price": -0.0}
        chain = read(
            OptionChain,
            {
                "data": {"last_price": 23092.19921875, "oc": {"100.000000": {"ce": side}, "99.500000": {"pe": side}}},
                "status": "success",
            },
        )

        assert list(chain.by_strike()) == [99.5, 100.0]
        assert chain.by_strike()[100.0].pe is None

    def test_with_a_strike_that_is_none_is_refused(self):
        chain = read(OptionChain, {"data": {"last_price": 1, "oc": {"nan": {}}}})

        with pytest.raises(ValueError, match="a strike wanted, found 'nan'"):
            chain.by_strike()
