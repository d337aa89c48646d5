"""A new list beside the one before: whether its numbers mean the same."""

import datetime as dt

import pytest

from natya.actors.instruments import ListRefusedError
from natya.actors.instruments.comparing import RENAMED_MIN, SEGMENT_MIN, expect_every_segment, expect_same_numbers
from natya.domain.instruments import Instrument

DAY = dt.date(2026, 9, 28)


def shares(*symbols, segment="NSE_EQ", **fields):
    return [
        Instrument(symbol=symbol, segment=segment, tick_size_rupees=0.05, security_id=str(number), **fields)
        for number, symbol in enumerate(symbols)
    ]


def numbers(instruments):
    return {(each.segment, each.security_id): each.symbol for each in instruments}


LETTERS = [chr(ord("A") + number) for number in range(26)]
MANY = [f"{first}{second}" for first in LETTERS for second in LETTERS] * 4
MANY = [f"{symbol}{number}" for number, symbol in enumerate(MANY)]


@pytest.mark.parametrize(
    "today",
    [
        LETTERS,
        [*LETTERS, "NEW"],
        LETTERS[:5],
        [],
        ["ETERNAL", *LETTERS[1:]],  # a company takes another name
        ["TMPV", *LETTERS[1:], "A"],  # and another one takes that
        ["B", "B2", *LETTERS[2:]],  # or the name of one that takes another, too
        [*(f"{symbol}2" for symbol in LETTERS[:RENAMED_MIN]), *LETTERS[RENAMED_MIN:]],
    ],
)
def test_that_means_the_same_is_taken(today):
    expect_same_numbers(shares(*today), numbers(shares(*LETTERS)), DAY)


@pytest.mark.parametrize(
    ("before", "today", "is_taken"),
    [(SEGMENT_MIN, 50, True), (SEGMENT_MIN, 49, False), (SEGMENT_MIN + 1, 50, False), (SEGMENT_MIN - 1, 0, True)],
)
def test_that_lacks_half_of_a_segment_is_refused(before, today, is_taken):
    others = shares(*MANY[:1_000], segment="NSE_FNO")
    known = numbers([*shares(*MANY[:before]), *others])
    if is_taken:
        expect_every_segment([*shares(*MANY[:today]), *others], known)
    else:
        with pytest.raises(ListRefusedError, match=rf"^rows of NSE_EQ: at least 5\d .* wanted, found {today}$"):
            expect_every_segment([*shares(*MANY[:today]), *others], known)


@pytest.mark.parametrize(
    "today",
    [["B", "A", *LETTERS[2:]], [*LETTERS[1:], LETTERS[0]], ["B", "C", "A", *LETTERS[3:]]],
    ids=["two are swapped", "a column is moved by a row", "three in a round"],
)
def test_by_whose_numbers_others_are_meant_is_refused(today):
    with pytest.raises(ListRefusedError, match=r"^NSE_EQ:0: A wanted, as before, found B"):
        expect_same_numbers(shares(*today), numbers(shares(*LETTERS)), DAY)


@pytest.mark.parametrize(("renamed", "is_taken"), [(54, True), (55, False)])
def test_of_too_many_other_symbols_is_refused(renamed, is_taken):
    today = shares(*(f"{symbol}X" for symbol in MANY[:renamed]), *MANY[renamed:])
    assert int(len(MANY) * 0.02) == 54

    if is_taken:
        expect_same_numbers(today, numbers(shares(*MANY)), DAY)
    else:
        with pytest.raises(ListRefusedError, match="at most 54 others than before wanted, found 55 of 2,704"):
            expect_same_numbers(today, numbers(shares(*MANY)), DAY)


def test_the_numbers_of_expired_contracts_are_given_to_others():
    contract = {"segment": "NSE_FNO", "underlying": "NIFTY"}
    over = shares("A", "B", expiry=DAY - dt.timedelta(days=1), **contract)

    expect_same_numbers(over, numbers(shares("B", "A", expiry=DAY, **contract)), DAY)


@pytest.mark.parametrize("days", [0, 1])
def test_the_numbers_of_contracts_that_can_be_traded_are_not(days):
    contract = {"segment": "NSE_FNO", "underlying": "NIFTY", "expiry": DAY + dt.timedelta(days=days)}

    with pytest.raises(ListRefusedError, match=r"^NSE_FNO:0: B wanted, as before, found A"):
        expect_same_numbers(shares("A", "B", **contract), numbers(shares("B", "A", **contract)), DAY)
