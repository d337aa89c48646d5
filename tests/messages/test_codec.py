import enum
import math
import struct
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from natya_builders import a_candle, a_report, a_tick, filled, to_place
from natya_examples import FULL, QUARTER

from natya.messages import units
from natya.messages.codec import (
    FACT_TYPES,
    MESSAGE_SIZE_MAX_BYTES,
    MESSAGE_TYPES,
    UndecodableMessageError,
    as_received,
    checked,
    decode,
    encode,
)
from natya.messages.holdings import HoldingsRead, Position
from natya.messages.journal import Append
from natya.messages.market import Depth
from natya.messages.orders import SubmitOrder
from natya.messages.system import Ping

NAMES = [message_type.__name__ for message_type in MESSAGE_TYPES]


@pytest.mark.parametrize("message_type", MESSAGE_TYPES, ids=NAMES)
def test_a_frame_gives_the_same_message_and_a_damaged_one_a_message_or_the_typed_error(message_type, messages_of):
    @settings(max_examples=QUARTER // 2, deadline=None)
    @given(message=messages_of(message_type), chance=st.randoms(use_true_random=True))
    def drawn(message, chance):  # short: its source is read twice for each type
        there_and_back(message, chance)

    drawn()


def there_and_back(message, chance):
    frame = bytearray(encode(message))
    back = decode(bytes(frame))

    assert back == message
    assert type(back) is type(message)

    for _ in range(chance.randint(1, 4)):
        frame[chance.randrange(len(frame))] = chance.randrange(256)
    only_the_typed_error(bytes(frame))
    only_the_typed_error(bytes(frame[: chance.randrange(len(frame))]))
    only_the_typed_error(bytes(frame) + b"\xc0")


class TestWritingAndReadingBack:
    def test_keeps_every_digit_of_a_price(self):
        assert decode(encode(a_tick(price=25974.90))).price == 25974.90

    def test_keeps_cash_as_decimal(self):
        position = Position(symbol="TCS", quantity=-3, average_price=Decimal("3.1400"), realized_pnl=Decimal("-0.05"))

        assert str(decode(encode(position)).average_price) == "3.1400"

    def test_reads_from_any_kind_of_buffer(self):
        frame = encode(a_tick())

        assert decode(bytearray(frame)) == decode(memoryview(frame)) == a_tick()

    def test_every_fact_is_a_message(self):
        assert set(FACT_TYPES) <= set(MESSAGE_TYPES)


class TestWritingWhatIsNoMessage:
    def test_names_the_type_that_was_found(self):
        class Stranger(msgspec.Struct):
            pass

        with pytest.raises(TypeError, match="Stranger"):
            encode(Stranger())


class Word(enum.StrEnum):
    TCS = "TCS"


class Rank(enum.IntEnum):
    FIRST = 1


class Rupees(enum.Enum):
    MANY = 101.5


class TestACheckedMessage:
    @pytest.mark.parametrize(
        ("message", "is_as_declared"),
        [
            (a_tick(), True),
            (a_tick(price=100), True),
            (a_tick(price=Rupees.MANY), False),
            (a_tick(symbol=Word.TCS), False),
            (Append(facts=(filled(), filled(price=101))), True),
            (Append(facts=(filled(), filled(price=Rupees.MANY))), False),
            (Append(facts=[filled()]), False),
            (Append(facts=(filled(price=Rupees.MANY), filled())), False),
            (HoldingsRead(strategy="a", shares={"TCS": 1}, filled={}), True),
            (HoldingsRead(strategy="a", shares={"INFY": 1, Word.TCS: 1}, filled={}), False),
            (HoldingsRead(strategy="a", shares={"INFY": Rank.FIRST, "TCS": 1}, filled={}), False),
        ],
        ids=[
            "as declared",
            "a whole number of rupees",
            "a member of an enumeration",
            "a text of its own kind",
            "a whole number deep down",
            "a member deep down",
            "a member before others",
            "a list for a tuple",
            "a dict",
            "a key of its own kind",
            "a count of its own kind",
        ],
    )
    def test_is_looked_at_all_through(self, message, is_as_declared):
        found = checked(message)

        assert (found is message) == is_as_declared
        assert found == as_received(message)
        assert checked(found) is found


class TestReadingHostileBytes:
    @settings(max_examples=8 * FULL, deadline=None)
    @given(frame=st.binary(max_size=200))
    def test_random_bytes_give_only_the_typed_error(self, frame):
        only_the_typed_error(frame)
        only_the_typed_error(b"\x01" + frame)

    @pytest.mark.parametrize(
        ("frame", "reason"),
        [
            (b"", "found 0"),
            (b"\x01", "found 1"),
            (b"\x02\x90", "version 1 wanted, found 2"),
            (b"\x01" + b"\x91" * 1_000_000 + b"\xc0", "."),
            (b"\x01" + b"\x91\xdb\xff\xff\xff\xff", "."),
            (b"\x01" + b"\xdd\xff\xff\xff\xff", "."),
            (b"\x01\x92" + b"\xa4Pong" + b"\xa2\xff\xfe", "."),
            (b"\x01\x91\xa7Unknown", "Unknown"),
            (b"\x01\x80", "."),
            (b"\x01\xc7\x04\x05evil", "."),
        ],
        ids=[
            "nothing",
            "version only",
            "later version",
            "a million levels deep",
            "string longer than memory",
            "array longer than memory",
            "invalid UTF-8",
            "unknown tag",
            "a map",
            "an extension type",
        ],
    )
    def test_each_known_attack_is_named(self, frame, reason):
        with pytest.raises(UndecodableMessageError, match=reason):
            decode(frame)

    def test_a_frame_beyond_the_bound_is_refused_unread(self):
        with pytest.raises(UndecodableMessageError, match=str(MESSAGE_SIZE_MAX_BYTES)):
            decode(b"\x01" + bytes(MESSAGE_SIZE_MAX_BYTES))

    def test_a_frame_of_just_the_bound_is_read(self):
        with pytest.raises(UndecodableMessageError, match="trailing") as refused:
            decode(encode(a_tick()).ljust(MESSAGE_SIZE_MAX_BYTES, b"\xc0"))
        assert isinstance(refused.value.__cause__, msgspec.DecodeError)

    def test_a_reason_is_never_empty(self):
        with pytest.raises(UndecodableMessageError, match=r"\w"):
            decode(b"\x01" + b"\x91" * 1_000_000 + b"\xc0")

    def test_an_amount_of_a_billion_digits_is_refused_without_being_written_out(self):
        position = Position(symbol="TCS", quantity=1, average_price=Decimal(1), realized_pnl=Decimal(7))
        frame = encode(position).replace(b"\xa17", b"\xac1E+999999999")

        with pytest.raises(UndecodableMessageError, match="10\\^18"):
            decode(frame)


def only_the_typed_error(frame):
    try:
        message = decode(frame)
    except UndecodableMessageError:
        return
    assert isinstance(message, MESSAGE_TYPES)


class TestANumberOutOfItsRange:
    @pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, -0.05, 2 * units.RUPEES_MAX])
    @pytest.mark.parametrize(
        "build",
        [
            lambda price: a_tick(price=price),
            lambda price: a_candle(low=price),
            lambda price: filled(price=price),
            lambda price: a_report(price=price),
            lambda price: to_place(limit_price=price),
            lambda price: a_tick(
                depth=Depth(bid_prices=(price,), bid_quantities=(1,), ask_prices=(), ask_quantities=())
            ),
        ],
        ids=["tick", "candle", "fill", "report", "order", "depth"],
    )
    def test_as_a_price_is_refused(self, build, price):
        with pytest.raises(UndecodableMessageError):
            decode(encode(build(price)))

    @pytest.mark.parametrize("count", [-1, 2**63])
    @pytest.mark.parametrize(
        "build",
        [
            lambda count: a_tick(quantity=count),
            lambda count: a_tick(exchange_ns=count),
            lambda count: a_tick(sequence=count),
            lambda count: a_candle(volume=count),
            lambda count: filled(quantity=count),
            lambda count: a_report(leaves_quantity=count),
        ],
        ids=["quantity", "time", "sequence", "volume", "fill", "leaves"],
    )
    def test_as_a_count_is_refused(self, build, count):
        with pytest.raises(UndecodableMessageError):
            decode(encode(build(count)))

    def test_as_a_price_of_zero_is_refused_where_something_traded(self):
        with pytest.raises(UndecodableMessageError):
            decode(encode(a_tick(price=0.0)))

    @pytest.mark.parametrize("message_type", MESSAGE_TYPES, ids=NAMES)
    def test_has_a_bound_on_both_sides_to_be_refused_by(self, message_type):
        for field in msgspec.inspect.type_info(message_type).fields:
            for number in numbers_in(field.type):
                low = number.ge if number.ge is not None else number.gt
                assert low is not None, f"{message_type.__name__}.{field.name} has no lower bound"
                assert number.le is not None, f"{message_type.__name__}.{field.name} has no upper bound"


def numbers_in(kind):
    """The int and float types of a field; messages inside it are looked at on their own, SQL values are free."""
    match kind:
        case msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            return [kind]
        case msgspec.inspect.UnionType(types=types):
            plain = sum(isinstance(one, msgspec.inspect.IntType | msgspec.inspect.FloatType) for one in types)
            return [] if plain > 1 else [number for one in types for number in numbers_in(one)]
        case msgspec.inspect.VarTupleType(item_type=item):
            return numbers_in(item)
        case msgspec.inspect.DictType(key_type=key, value_type=value):
            return numbers_in(key) + numbers_in(value)
        case _:
            return []


class TestAFrameOfAnEarlierRelease:
    def test_that_lacks_the_newest_fields_reads_with_their_defaults(self):
        fields = msgspec.msgpack.decode(encode(a_tick(volume=9))[1:])
        short = b"\x01" + msgspec.msgpack.encode(fields[:7])

        assert decode(short) == a_tick()

    def test_that_lacks_a_field_without_default_is_refused(self):
        fields = msgspec.msgpack.decode(encode(a_tick())[1:])

        with pytest.raises(UndecodableMessageError):
            decode(b"\x01" + msgspec.msgpack.encode(fields[:6]))


class TestAFrameOfALaterRelease:
    def test_is_read_as_far_as_its_fields_are_known(self):
        fields = msgspec.msgpack.decode(encode(a_tick())[1:])

        assert decode(b"\x01" + msgspec.msgpack.encode([*fields, "new"])) == a_tick()


class TestAnOrderThatNoFrameMayCarry:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"quantity": 0},
            {"quantity": 2**63},
            {"order_type": "LIMIT"},
            {"order_type": "LIMIT", "limit_price": math.nan},
            {"limit_price": math.nan},
            {"limit_price": 0.0},
            {"limit_price": math.inf},
        ],
        ids=str,
    )
    def test_cannot_be_made(self, wrong):
        with pytest.raises(ValueError, match=r"quantity|limit_price"):
            SubmitOrder(
                **{"client_order_id": "c", "strategy": "s", "symbol": "TCS", "side": "BUY", "quantity": 1, **wrong}
            )

    def test_cannot_be_read_either(self):
        frame = bytearray(b"\x01")
        frame += msgspec.msgpack.encode(["SubmitOrder", "c", "s", "TCS", "BUY", 1, "LIMIT", None])

        with pytest.raises(UndecodableMessageError, match="limit_price"):
            decode(frame)

    @given(amount=st.sampled_from(["NaN", "Infinity", "-Infinity", "1E+18", "-1E+999999999"]))
    def test_neither_can_a_position_without_a_finite_amount(self, amount):
        with pytest.raises(ValueError, match="finite"):
            Position(symbol="TCS", quantity=0, average_price=Decimal(0), realized_pnl=Decimal(amount))


def test_a_bare_double_of_nan_is_refused_whatever_writes_it():
    fields = msgspec.msgpack.encode(["Tick", "TCS"])
    nan = b"\xcb" + struct.pack(">d", math.nan)
    frame = b"\x01\x97" + fields[1:] + nan + msgspec.msgpack.encode(1) * 2 + b"\xa1s" + b"\x01"

    with pytest.raises(UndecodableMessageError, match=r"> ?0"):
        decode(frame)


def test_the_smallest_frame_is_a_tag_alone():
    assert encode(Ping()) == b"\x01\x91\xa4Ping"
