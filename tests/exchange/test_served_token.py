"""The credentials of the exchange's clients: one token, and the keys of partners."""

from types import SimpleNamespace

import pytest

from natya.actors.exchange.served_token import ServedToken
from natya.config.secrets import Secret
from natya.domain.guesses import WRONG_MAX, WRONG_WINDOW_NS


def test_the_token_is_right_until_another_is_made():
    token = ServedToken(Secret("first"), monotonic_ns=lambda: 0)
    assert [token.is_right(each) for each in (b"first", b"firs", b"")] == [True, False, False]
    made = token.renew()

    assert [token.is_right(each) for each in (b"first", made.encode())] == [False, True]
    assert len(made) > 30
    assert made != token.renew()


def test_each_partner_is_known_by_its_own_key_and_the_token_is_a_key_of_any():
    token = ServedToken(Secret("first"), monotonic_ns=lambda: 0)
    assert not token.is_partner(b"A", b"key of A")
    for partner in (b"A", b"B"):
        token.let_in(partner, b"key of " + partner)

    found = {
        (partner, key): token.is_partner(partner, key)
        for partner in (b"A", b"B", b"C")
        for key in (b"key of A", b"key of B", b"", b"first")
    }
    right = {(b"A", b"key of A"), (b"B", b"key of B"), *((partner, b"first") for partner in (b"A", b"B", b"C"))}
    assert {each for each, is_known in found.items() if is_known} == right


class TestGuesses:
    @pytest.fixture
    def clock(self):
        return SimpleNamespace(now_ns=0)

    @pytest.fixture
    def token(self, clock):
        return ServedToken(Secret("right"), monotonic_ns=lambda: clock.now_ns)

    def guess(self, token, times=WRONG_MAX):
        for number in range(times):
            assert not token.is_right(b"guess %d" % number)

    def test_have_to_wait_after_so_many_and_no_longer_than_a_minute(self, token, clock):
        self.guess(token, WRONG_MAX - 1)
        before = token.wait_s(b"another")
        self.guess(token, 1)
        after = token.wait_s(b"another")
        clock.now_ns = WRONG_WINDOW_NS

        assert (before, after, token.wait_s(b"another")) == (0, 60, 0)

    def test_of_a_partner_s_key_count_with_those_of_the_token(self, token):
        self.guess(token, WRONG_MAX - 1)
        assert not token.is_partner(b"platform", b"guess")

        assert token.wait_s(b"another") == 60

    def test_hold_up_nobody_who_is_right(self, token):
        token.let_in(b"platform", b"key")
        self.guess(token)

        assert token.wait_s(b"right") == 0
        assert token.is_right(b"right")
        assert token.is_partner(b"platform", b"key")

    def test_are_not_what_was_right_before_nor_what_is_nothing(self, token):
        first = b"right"
        token.renew()
        for _ in range(10 * WRONG_MAX):
            assert not token.is_right(first)
            assert not token.is_right(b"")
        assert token.wait_s(b"another") == 0
        self.guess(token)

        assert (token.wait_s(first), token.wait_s(b""), token.wait_s(b"another")) == (0, 0, 60)
