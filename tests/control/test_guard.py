import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.control.http.guard import Guard
from natya.config.secrets import Secret
from natya.domain.guesses import WRONG_MAX, WRONG_WINDOW_NS

RIGHT = [(b"authorization", b"Bearer right")]
WRONG = [(b"authorization", b"Bearer wrong")]


@pytest.fixture
def guard():
    guarding = Guard(Secret("right"))
    guarding.served_at("http://127.0.0.1:8000")
    return guarding


class TestAStranger:
    @pytest.mark.parametrize(
        "headers",
        [
            [],
            WRONG,
            [(b"authorization", b"Basic right")],
            [(b"authorization", b"bearer right")],
            [(b"authorization", b"Bearer right ")],
            [(b"authorization", b"Bearer r\xc3\xa9ght")],
            [*RIGHT, *WRONG],
            [*RIGHT, *RIGHT],
            [(b"cookie", b"token=right")],
        ],
        ids=["none", "wrong", "scheme", "case", "space", "bytes", "right and wrong", "twice", "cookie"],
    )
    def test_is_turned_away(self, guard, headers):
        assert guard.stranger(headers, 0).status == 401
        assert guard.turned_away == 1

    def test_who_guesses_is_told_to_wait_and_for_how_long(self, guard):
        for _ in range(WRONG_MAX):
            assert guard.stranger(WRONG, 0).status == 401
        turned = guard.stranger(WRONG, 10_000_000_000)

        assert (turned.status, turned.retry_after_s) == (429, 50)
        assert guard.stranger(WRONG, WRONG_WINDOW_NS).status == 401

    @given(times_ns=st.lists(st.integers(0, 10 * WRONG_WINDOW_NS), max_size=60).map(sorted))
    def test_has_few_guesses_in_any_minute_and_never_locks_out_who_knows(self, times_ns):
        guard = Guard(Secret("right"))
        compared = [now_ns for now_ns in times_ns if guard.stranger(WRONG, now_ns).status == 401]

        assert all(
            later - earlier >= WRONG_WINDOW_NS for earlier, later in zip(compared, compared[WRONG_MAX:], strict=False)
        )
        assert guard.stranger(RIGHT, max(times_ns, default=0)) is None


class TestAPageOfAnotherSite:
    @pytest.mark.parametrize(
        "header",
        [
            (b"origin", b"https://evil.example"),
            (b"origin", b"null"),
            (b"origin", b"http://127.0.0.1:8001"),
            (b"origin", b"https://127.0.0.1:8000"),
            (b"sec-fetch-site", b"cross-site"),
            (b"sec-fetch-site", b"same-site"),
        ],
    )
    def test_is_turned_away_whatever_it_knows(self, guard, header):
        assert guard.elsewhere([*RIGHT, header]).status == 403

    @pytest.mark.parametrize(
        "headers",
        [
            [],
            [(b"origin", b"http://127.0.0.1:8000")],
            [(b"origin", b"http://localhost:8000"), (b"sec-fetch-site", b"same-origin")],
            [(b"x-note", b"cross-site")],
        ],
    )  # fmt: skip
    def test_is_none_of_the_server_itself(self, guard, headers):
        assert guard.elsewhere(headers) is None
