"""The access token: given to whoever sends, until the broker calls it dead, and then not once more."""

import threading

import pytest

from natya.actors.broker.access_token import FORMER_MAX, AccessToken, TokenDeadError
from natya.config.secrets import Secret


@pytest.fixture
def token():
    return AccessToken(Secret("first"))


def in_thread(call):
    thread = threading.Thread(target=call)
    thread.start()
    thread.join(timeout=5)


class TestAToken:
    def test_that_the_broker_refused_is_given_to_nobody_until_there_is_another(self, token):
        assert token.reveal() == "first"
        token.refused()

        assert token.is_dead
        with pytest.raises(TokenDeadError, match="alive wanted"):
            token.reveal()
        token.replace(Secret("second"))
        assert token.reveal() == "second"

    def test_that_never_was_is_dead(self):
        with pytest.raises(TokenDeadError):
            AccessToken(Secret("")).reveal()

    def test_is_not_killed_by_the_answer_to_a_request_with_the_one_before(self, token):
        token.reveal()
        token.replace(Secret("second"))
        token.refused()

        assert token.reveal() == "second"

    def test_is_not_killed_by_a_thread_that_never_had_it(self, token):
        token.reveal()
        in_thread(token.refused)

        assert token.reveal() == "first"

    def test_that_has_ended_by_its_own_word_is_given_to_nobody_whoever_had_it(self, token):
        deaths = []
        token.when_dead(lambda: deaths.append(token.is_dead))
        token.end()
        token.end()

        assert deaths == [True]
        with pytest.raises(TokenDeadError):
            token.reveal()
        token.replace(Secret("second"))
        assert (token.reveal(), token.is_dead) == ("second", False)

    def test_tells_of_its_death_once(self, token):
        deaths = []
        token.when_dead(lambda: deaths.append("dead"))
        token.reveal()
        token.refused()
        token.refused()

        assert deaths == ["dead"]

    def test_shows_itself_to_nobody(self, token):
        token.reveal()

        assert "first" not in repr(token)
        assert "first" not in repr(vars(token))


class TestATokenThatWasInUse:
    def test_is_known_as_long_as_it_is_one_of_the_last(self, token):
        later = [Secret(f"later {number}") for number in range(FORMER_MAX + 1)]
        for each in later[:-1]:
            token.replace(each)
        assert token.was_in_use(Secret("first"))
        token.replace(later[-1])

        assert [token.was_in_use(each) for each in (Secret("first"), *later, Secret("never"))] == [
            False, *[True] * (FORMER_MAX + 1), False,
        ]  # fmt: skip
        assert [token.is_in_use(each) for each in later[-2:]] == [False, True]


class TestWhatAServiceSays:
    @pytest.mark.parametrize(
        ("said", "shown"),
        [
            ("no canary-of-a-token-of-a-day here", "no *** here"),
            ("cut off: canary-of-a-tok", "cut off: ***"),
            ("canary-of-a-tok", "***"),
            ("canary-of-a-", "***"),
            ("canary-of-a", "canary-of-a"),  # of so little nobody makes the rest
            ("canary-of-a-token-of-a-day, and canary-of-a-token-of-a-day", "***, and ***"),
            ("nothing of it", "nothing of it"),
        ],
    )
    def test_is_shown_without_the_token(self, said, shown):
        assert AccessToken(Secret("canary-of-a-token-of-a-day")).taken_out_of(said) == shown

    def test_is_shown_without_a_short_one_only_where_it_is_whole(self):
        token = AccessToken(Secret("canary-of-a-"))

        assert (token.taken_out_of("a canary-of-a-"), token.taken_out_of("a canary-of")) == ("a ***", "a canary-of")

    def test_is_shown_as_it_is_where_there_is_none(self):
        assert AccessToken(Secret("")).taken_out_of("anything") == "anything"
