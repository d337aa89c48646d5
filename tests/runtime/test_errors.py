"""What is told of an error: where in a user's own code it came from."""

import itertools
import json

import pytest

from natya.actors.runtime import fails_start, reason_of, restart_helps, trace_of, where_of
from natya.actors.runtime.errors import REASON_MAX, TRACE_MAX, hiding
from natya.messages.market import Candle


def raised_by(call):
    try:
        call()
    except Exception as error:  # noqa: BLE001  whatever it is, its place is asked for
        return error
    raise AssertionError("an error is wanted")


def raise_hidden():
    raise Hidden("as asked")


class Hostile:
    """Fails deep inside of what is installed."""

    def __repr__(self):
        return json.dumps({"a": self}, default=lambda _: 1 / 0)


class TestThePlaceOfAnError:
    def test_is_the_last_line_of_a_users_own(self):
        place = where_of(raised_by(lambda: repr(Hostile())))

        assert place.startswith(__file__)
        assert place.endswith(f":{Hostile.__repr__.__code__.co_firstlineno + 1} in <lambda>")

    def test_is_found_behind_any_number_of_installed_ones(self):
        value = object()
        for _ in range(150):
            value = [value]

        error = raised_by(lambda: [*json.JSONEncoder(indent=1).iterencode(value)])

        assert where_of(error).endswith("in <lambda>")
        assert where_of(error).startswith(__file__)

    def test_is_where_it_was_raised_if_only_installed_code_had_part_in_it(self):
        error = raised_by(lambda: json.loads("{"))
        error.__traceback__ = error.__traceback__.tb_next.tb_next

        assert "json/" in where_of(error)

    def test_of_a_worker_process_is_the_one_that_was_found_there(self):
        error = raised_by(lambda: 1 // 0)
        error.raised_at = "strategy.py:7 in on_tick"

        assert where_of(error) == "strategy.py:7 in on_tick"

    def test_is_none_of_an_error_that_was_never_raised(self):
        assert where_of(ValueError("new")) == where_of(None) == ""


def test_an_error_about_what_is_no_utf_8_has_a_text_and_a_traceback_that_can_be_sent():
    error = raised_by(lambda: open("orders-\udcff.csv"))  # noqa: SIM115, PTH123  it is not there

    assert "orders-\\udcff.csv" in reason_of(error).encode().decode()
    assert "orders-\\udcff.csv" in trace_of(error).encode().decode()


class MendlessError(Exception):
    restart_helps = False


class PatientError(MendlessError):
    fails_start = False


def caused(*errors):
    """Give the first of these, which each of the others has caused in turn."""
    for error, cause in itertools.pairwise(errors):
        error.__cause__ = cause
    return errors[0]


class Hidden(Exception):  # noqa: N818
    """Raises, whatever it is asked for."""

    def __getattr__(self, name):
        return self.__dict__[name]


class TestWhetherARestartHelps:
    @pytest.mark.parametrize(
        ("error", "helps", "fails"),
        [
            (None, True, False),
            (ValueError("odd"), True, False),
            (caused(ValueError("odd"), KeyError("why")), True, False),
            (MendlessError(), False, True),
            (caused(ValueError("odd"), KeyError("why"), MendlessError()), False, True),
            (caused(ValueError("odd"), PatientError()), False, False),
            (caused(PatientError(), MendlessError()), False, False),
            (caused(MendlessError(), PatientError()), False, True),
            (caused(*[ValueError("from itself")] * 2), True, False),
            (caused(*[MendlessError("from itself")] * 2), False, True),
            (Hidden("behind its own code"), True, False),
            (caused(Hidden("behind its own code"), MendlessError()), False, True),
        ],
        ids=repr,
    )
    def test_is_what_an_error_or_one_that_caused_it_says(self, error, helps, fails):
        assert (restart_helps(error), fails_start(error)) == (helps, fails)


class TestTheTextOfAnError:
    def test_is_shortened_and_lacks_what_is_secret(self):
        with hiding(lambda text: text.replace("token", "***")):
            assert reason_of(ValueError("of a token")) == "of a ***"
            assert "of a ***" in trace_of(raised_by(lambda: int("of a token")))
        assert reason_of(ValueError("of a token")) == "of a token"
        assert REASON_MAX - 5 < len(reason_of(ValueError("x" * 10_000))) <= REASON_MAX
        assert TRACE_MAX - 5 < len(trace_of(ValueError("x" * 10_000))) <= TRACE_MAX
        assert trace_of(None) == ""

    def test_that_cannot_be_had_is_told_as_such(self):
        class Mute(Exception):  # noqa: N818
            def __str__(self):
                raise KeyError("no")

        assert reason_of(Mute()) == "its text could not be had: KeyError"

    def test_of_one_whose_class_raises_when_it_is_asked_for_its_notes_is_known_without_them(self):
        error = raised_by(raise_hidden)

        assert reason_of(error) == "as asked"
        assert where_of(error).endswith("in raise_hidden")
        assert trace_of(error) == "(Hidden whose traceback cannot be shown: KeyError)"


class TestAnAttributeThatIsNotThere:
    def reason(self, of, name):
        with pytest.raises(AttributeError) as found:
            getattr(of, name)
        return reason_of(found.value)

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("interval", "; did you mean interval_ns?"),
            ("closes", "; did you mean close?"),
            ("xyz", ""),
            ("_struct_fields", ""),
        ],
    )
    def test_is_told_with_the_one_that_was_probably_meant(self, name, meant):
        candle = Candle(
            symbol="TCS", interval_ns=60, start_ns=0, open=1.0, high=2.0, low=1.0, close=2.0, volume=5, source="test"
        )

        assert self.reason(candle, name) == f"'Candle' object has no attribute '{name}'{meant}"

    def test_is_told_without_one_where_nothing_is_known_of_it(self):
        assert reason_of(AttributeError("lost")) == "lost"
        assert self.reason(None, "lo") == "'NoneType' object has no attribute 'lo'"

    def test_of_what_cannot_say_what_it_has_is_told_as_it_is(self):
        class Odd:
            def __dir__(self):
                raise ValueError("odd")

        assert self.reason(Odd(), "a") == "'Odd' object has no attribute 'a'"
