"""Calls to Dhan before it is known where it is, and what is made of a chart."""

import msgspec
from natya_dhan_stage import Session

from natya.actors.broker.bodies.dhan import endpoints
from natya.actors.broker.bodies.dhan.charts import chart_answer
from natya.actors.broker.bodies.dhan.talk import Talk
from natya.actors.external import ExternalServiceResult
from natya.domain.dhan.market.charts import Chart

WANTED = {"query": (("q", "1"),), "deadline_s": 3.0, "body": b"{}"}


class TestACallBeforeItIsKnownWhereDhanIs:
    def test_waits_and_is_then_the_very_one_that_was_asked_for(self):
        for urgent, in_halt in ((True, False), (False, True)):
            session = Session()
            talk = Talk(session, None)
            talk.ask(endpoints.ORDER, bytes, print, {"order_id": "7"}, urgent=urgent, in_halt=in_halt, **WANTED)
            assert session.asked == []
            talk.is_at("https://x/v2")
            talk.ask(endpoints.ORDER, bytes, print, {"order_id": "7"}, urgent=urgent, in_halt=in_halt, **WANTED)
            waited, direct = (ask.call for ask, _ in session.asked)

            assert msgspec.structs.asdict(waited) == msgspec.structs.asdict(direct)
            assert (waited.urgent, waited.in_halt) == (urgent, in_halt)


def test_a_chart_is_told_column_by_column():
    columns = {name: (number,) for number, name in enumerate(Chart.COLUMNS, 1)}
    told = chart_answer(ExternalServiceResult(success=True, data=Chart(**columns), sent="yes", attempts=2))

    assert (told.starts_s, told.opens, told.highs, told.lows, told.closes, told.volumes) == (
        (1,),
        (2,),
        (3,),
        (4,),
        (5,),
        (6,),
    )
    assert told.requests == 2
