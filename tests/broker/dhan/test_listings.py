"""From our symbols to Dhan's numbers: an order goes to the instrument that it names, or nowhere."""

import msgspec
import pytest
from natya_dhan_stage import Session

from natya.actors.broker.bodies.dhan.listings import Listings
from natya.actors.runtime import Outcome
from natya.domain.instruments import Instrument
from natya.domain.time import DAY_NS
from natya.messages.instruments import InstrumentUnknown
from natya.messages.supervision import Failed, Unavailable


class Asked(Session):
    """Keeps what is asked of the owner of the instruments."""

    def __init__(self, answer=None):
        super().__init__()
        self.answer = answer

    def ask(self, target, message, *, timeout_s, then):
        self.asked.append((target, message.name, timeout_s))
        then(Outcome(value=self.answer or self.instrument(message.name)))


def found(symbol, answer=None):
    session, told = Asked(answer), []
    listings = Listings(session)
    for _ in range(2):
        listings.find(symbol, told.append)
    first, second = told
    assert first == second
    return first, len(session.asked)


def shown(**fields):
    answer = Session.instrument("INFY")
    return msgspec.structs.replace(answer, instrument=msgspec.structs.replace(answer.instrument, **fields))


def test_an_instrument_is_asked_for_once():
    instrument, asked = found("INFY")

    assert isinstance(instrument, Instrument)
    assert (instrument.symbol, instrument.security_id, instrument.lot_size, asked) == ("INFY", "1594", 5, 1)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (shown(symbol="INFY-B"), "our symbol of an instrument wanted, found 'INFY', which is INFY-B"),
        (shown(security_id=""), "the exchange's number of 'INFY' wanted, found none in test"),
        (InstrumentUnknown(name="INFY", reason="several"), "several"),
        (
            Unavailable(actor="instruments", reason="restarting", retry_after_s=1.0),
            "the instrument 'INFY' wanted, found no answer: restarting",
        ),
        (
            Failed(actor="instruments", message_type="ShowInstrument", error="E", reason="bug"),
            "the instrument 'INFY' wanted, found no answer: bug",
        ),
    ],
)
def test_what_is_not_that_instrument_is_none_and_is_asked_for_again(answer, reason):
    assert found("INFY", answer) == (reason, 2)


def test_no_answer_in_time_is_no_instrument():
    session, told = Asked(), []
    session.ask = lambda *_, then, **__: then(Outcome(error=TimeoutError("no answer in 2 s")))
    Listings(session).find("INFY", told.append)

    assert told == ["the instrument 'INFY' wanted, found no answer: no answer in 2 s"]


@pytest.mark.parametrize(("name", "owner"), [((), "instruments"), (("wire",), "wire")])
def test_the_owner_is_asked_in_the_first_moment_of_the_clock_and_each_day_in_india(name, owner):
    session = Asked()
    listings = Listings(session, *name)
    half_past_six_pm_ns = DAY_NS * 3 // 4 + DAY_NS // 48  # in London: midnight in India
    for now_ns in (0, half_past_six_pm_ns - 1, half_past_six_pm_ns, half_past_six_pm_ns + 1):
        session.clock.time_ns = now_ns
        listings.find("INFY", lambda _: None)

    assert session.asked == [(owner, "INFY", 2.0)] * 2
