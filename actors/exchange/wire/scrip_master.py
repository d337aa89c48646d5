"""The list of instruments as Dhan publishes it, for clients that look up security ids in it: public, as there.

`GET /api-data/api-scrip-master.csv` and `…-detailed.csv`, at Dhan files of another host, have all instruments in both
forms; `GET /v2/instrument/{exchangeSegment}` redirects to those of one segment in the detailed form. They are what the
owner of the list has read, and behind them what is listed here alone. A page is asked for when the one before is sent,
so that 200,000 rows are never in memory at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, get_args

from ....domain.dhan.scrip_writing import header, lines
from ....messages.addresses import INSTRUMENTS
from ....messages.instruments import FindInstrument, InstrumentsFound, Segment
from ...web import answer
from .answers import invalid, path_error, tell, trading_error
from .asking import MarketTold, ShowMarket

if TYPE_CHECKING:
    from ....domain.dhan.scrip_writing import Form
    from .answers import Answer

FOLDER: Final = "/api-data"
OF_SEGMENT: Final = "/v2/instrument/{segment}"
PAGE_ROWS: Final = 5_000
CSV: Final = b"text/csv"
SEGMENTS: Final = get_args(Segment)


class ListChangedError(Exception):
    """Another list came into use while one was sent: the connection is cut, lest half of each be taken for one."""


class Wire(Protocol):
    """What this needs of the application."""

    async def asked(self, actor: str, message: Any) -> Any:
        """Ask an actor; return its answer, or what says that it is not there."""

    async def by_hand(self, message: Any) -> Any:
        """Ask the market's actor."""

    def now_ns(self) -> int:
        """The exchange's time: nanoseconds since 1970-01-01 UTC."""


class ScripMaster:
    """The endpoints."""

    def __init__(self, wire: Wire) -> None:
        self._wire: Final = wire

    def endpoints(self) -> tuple[tuple[str, Any], ...]:
        """Return them by path."""
        return (
            (f"{FOLDER}/api-scrip-master.csv", _File(self._wire, "compact")),
            (f"{FOLDER}/api-scrip-master-detailed.csv", _File(self._wire, "detailed")),
            (f"{FOLDER}/instrument/{{segment}}.csv", _File(self._wire, "detailed")),
            (OF_SEGMENT, _Redirect(self._wire)),
        )


class _Redirect:
    """To the file of a segment."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request."""
        refusal = _refusal(self._wire, scope)
        if refusal is not None:
            await tell(send, refusal)
            return
        file = f"{FOLDER}/instrument/{scope['path_params']['segment']}.csv"
        await answer(send, 302, headers=[(b"location", file.encode("ascii"))])


class _File:
    """Rows of one form: all, or those of a segment."""

    def __init__(self, wire: Wire, form: Form) -> None:
        self._wire = wire
        self._form: Form = form

    async def __call__(self, scope: Any, _receive: Any, send: Any) -> None:
        """Answer one request.

        Raises:
            ListChangedError: another list came into use in its middle.
        """
        refusal = _refusal(self._wire, scope)
        if refusal is not None:
            await tell(send, refusal)
            return
        segment: Segment | None = scope["path_params"].get("segment")
        listed = await self._wire.by_hand(ShowMarket("listed"))
        page = await self._page(segment, 0)
        if not (isinstance(listed, MarketTold) and isinstance(page, InstrumentsFound)):
            await tell(send, trading_error(503, "DH-909", "The list of instruments is not available"))
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", CSV)]})
        await _send_part(send, header(self._form))
        here = {listing.instrument: listing.reference.definition() for listing, _ in listed.value}
        of, sent = page.of, 0
        while page.instruments:
            for each in page.instruments:
                here.pop((each.segment, each.security_id), None)
            await _send_part(send, lines(self._form, page.instruments))
            sent += len(page.instruments)
            page = await self._page(segment, sent)
            if not isinstance(page, InstrumentsFound) or page.of != of:
                raise ListChangedError(f"the list of {of.day} wanted to its end, found another behind {sent} rows")
        rest = lines(self._form, (each for each in here.values() if segment in {None, each.segment}))
        await send({"type": "http.response.body", "body": rest.encode()})

    async def _page(self, segment: Segment | None, skipped: int) -> Any:
        return await self._wire.asked(
            INSTRUMENTS, FindInstrument(segment=segment, is_expired=True, rows_max=PAGE_ROWS, skipped=skipped)
        )


async def _send_part(send: Any, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _refusal(wire: Wire, scope: Any) -> Answer | None:
    if scope["method"] != "GET":
        return path_error(405, "Method Not Allowed", scope["path"], wire.now_ns() // 1_000_000)
    segment = scope["path_params"].get("segment")
    if segment is not None and segment not in SEGMENTS:
        return invalid(f"exchangeSegment: one of {', '.join(SEGMENTS)} is wanted, found something else").answer
    return None
