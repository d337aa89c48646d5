"""A broker's charts: as a model, which holds what the exchange traded, and over HTTP."""

import json
import re
import threading
from datetime import date, timedelta
from itertools import count

from natya_servers import Server, http

from natya.domain.calendar import session
from natya.domain.candles import start_of
from natya.domain.history import INTERVALS
from natya.domain.instruments import Instrument
from natya.domain.time import DAY_NS, SECOND_NS, day_start_ns, number_of_day
from natya.messages.history import ChartNotRead, ChartRead


def a_share(symbol="INFY", **changes):
    fields = {"symbol": symbol, "segment": "NSE_EQ", "tick_size_rupees": 0.05, "security_id": "1594"}
    return Instrument(**fields | changes)


def starts_of(day, interval_ns):
    """When candles of a day begin."""
    found = session(day)
    if found is None:
        return []
    if interval_ns >= DAY_NS:
        return [day_start_ns(number_of_day(day))]
    first_ns = start_of(found.open_ns, interval_ns)
    return list(range(first_ns, found.close_ns, interval_ns))


def rows_of_days(since, until, interval_ns):
    days = (since + timedelta(days=each) for each in range((until - since).days))
    return [start for day in days for start in starts_of(day, interval_ns)]


class ModelCharts:
    """Answers each request, and remembers it; `script` gives an answer of its own to the n-th request, from 1."""

    def __init__(self, now, *, at_once=1, listed=None, hidden=()):
        self.now, self.at_once, self.listed = now, at_once, listed
        self.hidden = set(hidden)
        """Days that an answer leaves out."""

        self.splits = []
        """Days of splits, each with the factor by which prices before it are told since."""

        self.splits_told = []
        """As of the newest answer."""

        self.asked = []
        self.script = {}
        self._numbers = count(1)

    def begin(self, instrument, interval_ns, since, until):
        number = next(self._numbers)
        self.asked.append((since, until))
        answer = self.script.get(number)
        if answer is None:
            answer, self.splits_told = self.told(interval_ns, since, until), [*self.splits]
        if isinstance(answer, BaseException):
            raise answer
        return lambda: answer

    def told(self, interval_ns, since, until):
        starts = [s for s in rows_of_days(since, until, interval_ns) if s + interval_ns <= self.now.ns]
        starts = [s for s in starts if not any(_is_of(s, day) for day in self.hidden)]
        if self.listed is not None:
            starts = [s for s in starts if s >= day_start_ns(number_of_day(self.listed))]
        closes = [self._price(start) for start in starts]
        return ChartRead(
            starts_s=tuple(start // SECOND_NS for start in starts),
            opens=tuple(closes),
            highs=tuple(close + 1 for close in closes),
            lows=tuple(close - 1 for close in closes),
            closes=tuple(closes),
            volumes=tuple(100 for _ in closes),
        )

    def _price(self, start_ns):
        price = 1_024.0 + start_ns // DAY_NS % 50
        for day, factor in self.splits:
            if start_ns < day_start_ns(number_of_day(day)):
                price *= factor
        return price


def _is_of(start_ns, day):
    number = number_of_day(day)
    return day_start_ns(number) <= start_ns < day_start_ns(number + 1)


def refused(why, reason="as the test says", requests=1):
    return ChartNotRead(why=why, reason=reason, requests=requests)


EMPTY = ChartRead(starts_s=(), opens=(), highs=(), lows=(), closes=(), volumes=())


def chart_of(request):
    """What Dhan would tell, for the days that a request names, in floats; of anything else, that there is none."""
    if b"/charts/" not in request:
        return http("[]")
    wanted = json.loads(request.partition(b"\r\n\r\n")[2])
    since, until = date.fromisoformat(wanted["fromDate"]), date.fromisoformat(wanted["toDate"])
    is_daily = b"/charts/historical" in request
    interval_ns = INTERVALS["1d"] if is_daily else int(wanted["interval"]) * INTERVALS["1m"]
    return told_of(rows_of_days(since, until + timedelta(days=not is_daily), interval_ns))


def told_of(starts_ns):
    """A chart of these candles."""
    starts = [start / 1e9 for start in starts_ns]
    columns = {name: [100.0] * len(starts) for name in ("open", "high", "low", "close", "volume")}
    return http(json.dumps({**columns, "timestamp": starts}))


class Broker:
    """Answers as `usual` does; `script` has other answers, by the number of the request."""

    def __init__(self):
        self.script = {}
        self.usual = chart_of
        self.reached = threading.Event()
        self.server = Server(self._answer)

    def _answer(self, server, connection):
        while (request := server.read(connection)) is not None:
            answer = self.script.get(len(server.heard), self.usual)
            if answer is None:
                self.reached.set()
                server.over.wait()
                return
            connection.sendall(answer(request) if callable(answer) else answer)

    @property
    def days(self):
        return [re.findall(rb'Date":"(.*?)"', request) for request in self.server.heard]
