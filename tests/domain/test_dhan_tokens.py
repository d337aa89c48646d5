"""How long a token lives, and when another may be asked for."""

import base64
import datetime as dt
import itertools
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.clock_skew import judge_skew, skew_s
from natya.domain.dhan.tokens import (
    AHEAD_NS,
    APART_NS,
    TOKEN_LENGTH_MAX,
    Attempts,
    life_of,
    next_night_ns,
)
from natya.domain.time import DAY_NS, IST, SECOND_NS

TIMES = st.integers(1_600_000_000, 2_000_000_000).map(lambda second: second * SECOND_NS)


def at(hour, minute=0, day=28):
    return int(dt.datetime(2026, 11, day, hour, minute, tzinfo=IST).timestamp()) * SECOND_NS


def a_token(**claims):
    def part(content):
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS512'})}.{part({'iss': 'dhan', 'dhanClientId': '1100012345', **claims})}.c2ln"


def seconds(time_ns):
    return time_ns // SECOND_NS


class TestAToken:
    def test_ends_when_it_says_so(self):
        token = a_token(exp=seconds(at(18)))

        assert life_of(token, now_ns=at(9)).ends_ns == at(18)

    @pytest.mark.parametrize("more", range(4))
    def test_is_read_whatever_the_length_of_its_claims(self, more):
        token = a_token(exp=seconds(at(18)), more="x" * more)

        assert life_of(token, now_ns=at(9)).ends_ns == at(18)

    def test_ends_with_the_night_at_the_latest(self):
        token = a_token(iat=seconds(at(9)), exp=seconds(at(9, day=29)))

        life = life_of(token, now_ns=at(23))
        assert (life.ends_ns, life.replace_ns) == (at(3, day=29), at(2, 45, day=29))
        assert str(life) == "good until 2026-11-29 03:00:00 IST"

    def test_of_yesterday_is_to_be_replaced_in_the_morning_and_over_when_it_says_so(self):
        token = a_token(iat=seconds(at(20, day=27)), exp=seconds(at(20, day=28)))

        life = life_of(token, now_ns=at(8))
        assert (life.replace_ns, life.is_over(at(8)), life.is_over(at(20))) == (at(2, 45), False, True)

    @pytest.mark.parametrize("minute", [45, 46])
    def test_that_was_made_shortly_before_the_night_is_replaced_after_it(self, minute):
        token = a_token(iat=seconds(at(2, minute)), exp=seconds(at(2, minute, day=29)))

        life = life_of(token, now_ns=at(2, minute))
        assert (life.ends_ns, life.replace_ns) == (at(3), at(3, 1))

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "secret",
            "a.b.c",
            "..",
            a_token(exp="soon"),
            a_token(exp=True),
            a_token(exp=-5),
            a_token(exp=0),
            a_token(exp=9_223_372_036.0),
            a_token(exp=1e300),
            "a.W10.c",
        ],
    )
    def test_that_says_nothing_has_no_end_that_is_known(self, token):
        assert life_of(token, now_ns=at(9)) is None

    @given(token=st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: f"a.{base64.b64encode(raw).decode()}.c"))
    def test_is_read_whatever_it_is(self, token):
        life = life_of(token, now_ns=at(9))
        assert life is None or life.obtained_ns <= at(9)

    @given(now_ns=TIMES, issued=st.none() | st.integers(0, 90_000), lasts=st.integers(1, 90_000))
    def test_is_replaced_before_its_end_or_right_after_it(self, now_ns, issued, lasts):
        claims = {} if issued is None else {"iat": seconds(now_ns) - issued}

        life = life_of(a_token(exp=seconds(now_ns) + lasts, **claims), now_ns=now_ns)
        assert life.ends_ns <= next_night_ns(life.obtained_ns) <= life.obtained_ns + DAY_NS
        assert life.replace_ns > life.obtained_ns
        assert life.ends_ns - AHEAD_NS <= life.replace_ns <= life.ends_ns + 60 * SECOND_NS


def test_the_next_night_is_that_after_it_where_one_begins():
    assert [next_night_ns(time_ns) for time_ns in (at(3) - 1, at(3))] == [at(3), at(3, day=29)]


class TestAttempts:
    @given(pauses_s=st.lists(st.integers(0, 400), max_size=30))
    def test_are_two_minutes_apart_and_no_more_than_three(self, pauses_s):
        attempts, now_ns, made = Attempts(), 0, []
        for pause_s in pauses_s:
            now_ns += pause_s * SECOND_NS
            if not attempts.are_over and attempts.wait_ns(now_ns) == 0:
                attempts = attempts.after(now_ns)
                made.append(now_ns)

        assert len(made) == min(3, attempts.made) == attempts.made
        assert all(later - earlier >= APART_NS for earlier, later in itertools.pairwise(made))

    def test_are_as_many_as_may_be_made_where_there_is_time(self):
        attempts, now_ns = Attempts(), 0
        for number in range(1, 4):
            assert not attempts.are_over
            attempts = attempts.after(now_ns)
            assert (attempts.made, attempts.wait_ns(now_ns), attempts.wait_ns(now_ns + APART_NS)) == (
                number,
                APART_NS,
                0,
            )
            now_ns += APART_NS

        assert attempts.are_over

    def test_begin_anew_when_a_person_asks_but_not_before_the_two_minutes(self):
        attempts = Attempts().after(0).after(APART_NS).after(2 * APART_NS)

        assert attempts.are_over
        assert not attempts.anew().are_over
        assert attempts.anew().wait_ns(2 * APART_NS + 1) == APART_NS - 1


class TestAClock:
    @pytest.mark.parametrize(
        ("off_s", "verdict"),
        [
            (0.0, "well"),
            (1.5, "well"),
            (-1.9, "well"),
            (3.5, "alarm"),
            (-4.0, "alarm"),
            (17.0, "too_far"),
            (-20.0, "too_far"),
        ],
    )
    def test_is_judged_by_the_servers_date(self, off_s, verdict):
        server_s = seconds(at(9))
        ours_ns = round((server_s + 0.5 + off_s) * SECOND_NS)
        date = dt.datetime.fromtimestamp(server_s, dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")

        found = skew_s(date, sent_ns=ours_ns, received_ns=ours_ns + 100_000_000)
        assert judge_skew(found) == verdict

    @given(true_ns=TIMES, rest_ns=st.integers(0, 999_999_999), trip=st.tuples(*[st.integers(0, 5 * SECOND_NS)] * 2))
    def test_that_is_right_is_never_found_wrong(self, true_ns, rest_ns, trip):
        stamped_ns = true_ns + rest_ns
        date = dt.datetime.fromtimestamp(true_ns // SECOND_NS, dt.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")

        assert skew_s(date, sent_ns=stamped_ns - trip[0], received_ns=stamped_ns + trip[1]) == 0.0

    @pytest.mark.parametrize("date", [None, "", "yesterday", "Sat, 99 Nov 2026 09:00:00 GMT"])
    def test_is_not_judged_without_a_date(self, date):
        assert judge_skew(skew_s(date, sent_ns=0, received_ns=0)) == "unknown"

    @pytest.mark.parametrize(
        ("found_s", "verdict"),
        [
            *((0.0, "well"), (-2.0, "well"), (2.0, "well"), (2.1, "alarm"), (-2.1, "alarm")),
            *((15.0, "alarm"), (-15.0, "alarm"), (15.1, "too_far"), (-15.1, "too_far")),
            *((None, "unknown"), (math.nan, "unknown"), (math.inf, "unknown")),
        ],
    )
    def test_is_judged_by_how_far_it_is_on_either_side(self, found_s, verdict):
        assert judge_skew(found_s) == verdict


@pytest.mark.parametrize(("longer", "is_read"), [(0, True), (1, False)])
def test_a_token_is_read_up_to_its_length(longer, is_read):
    now_ns = at(10)
    token = a_token(exp=seconds(now_ns) + 3_600)
    token += "x" * (TOKEN_LENGTH_MAX - len(token) + longer)

    assert (life_of(token, now_ns=now_ns) is not None) is is_read
