"""Client order ids: within the broker's alphabet, and never twice."""

import re

from hypothesis import given
from hypothesis import strategies as st

from natya.actors.strategy.order_ids import OrderIds, base36, short_name

ALLOWED = re.compile(r"[A-Za-z0-9_-]{1,25}", re.ASCII)
TIMES = st.integers(0, (1 << 63) - 1)


class TestAnId:
    def test_names_the_strategy_the_start_and_the_number(self):
        ids = OrderIds("crossover", started_ns=1_700_000_000_000_000_000)

        assert [ids.next(), ids.next()] == ["crossover-loyw3v28-1", "crossover-loyw3v28-2"]

    @given(name=st.text(max_size=40), started_ns=TIMES, counter=st.integers(0, 36**5 - 2))
    def test_fits_the_broker_whatever_the_strategy_is_called(self, name, started_ns, counter):
        assert ALLOWED.fullmatch(OrderIds(name, started_ns=started_ns, counter=counter).next())

    @given(started_ns=st.integers(0, 3 * 10**18), later_ms=st.integers(1, 10**11))
    def test_of_another_start_is_another(self, started_ns, later_ms):
        first = OrderIds("s", started_ns=started_ns).next()

        assert OrderIds("s", started_ns=started_ns + later_ms * 1_000_000).next() != first

    def test_after_a_restart_at_the_same_instant_goes_on_counting(self):
        before = OrderIds("s", started_ns=5_000)
        made = [before.next() for _ in range(40)]
        after = OrderIds("s", started_ns=5_000, counter=before.counter)

        assert after.next() not in made


class TestAShortName:
    def test_is_the_name_itself_when_it_fits(self):
        assert short_name("crossover1") == "crossover1"

    def test_keeps_long_names_with_one_beginning_apart(self):
        assert short_name("crossover-of-infy") != short_name("crossover-of-tcs_")

    def test_keeps_foreign_names_apart(self):
        assert short_name("a b") != short_name("a_b") == "a_b"


@given(number=st.integers(0, 1 << 80))
def test_base36_is_read_back_by_python(number):
    assert int(base36(number), 36) == number
