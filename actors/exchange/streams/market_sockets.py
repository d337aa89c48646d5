"""The sockets of market data, a kind each: what a client may subscribe to, and what it is told."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, ClassVar, Final

from ....domain.dhan.streams import binary_requests, packets, subscriptions
from ....domain.dhan.streams import depth as deep
from ....domain.dhan.streams.subscriptions import SubscriptionError
from . import encoding
from .encoding import Number
from .sockets import TOKEN_WRONG, Socket, Streamed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ....domain.dhan.streams.binary_requests import BinaryMode
    from ....domain.dhan.streams.subscriptions import FeedRequest, Mode
    from .sockets import SocketsServer

TOO_MANY_INSTRUMENTS: Final = 804
REQUEST_INVALID: Final = 814

INDEX: Final = packets.SEGMENT_NUMBERS["IDX_I"]


class FeedSocket(Socket):
    """A socket of the market feed: tickers, quotes, full packets."""

    subscribes: ClassVar[Mapping[int, Mode | BinaryMode]] = subscriptions.MODES
    """By what code to what; the code above it unsubscribes."""

    def __init__(self, server: SocketsServer) -> None:
        """Be subscribed to nothing."""
        super().__init__(server)
        self.modes: Final[dict[Number, Mode | BinaryMode]] = {}

    def hear(self, text: bytes) -> None:
        """Subscribe, unsubscribe or end."""
        try:
            asked = self._read(text)
        except SubscriptionError:
            self.refuse(REQUEST_INVALID)
            return
        code = asked.request_code
        if code == subscriptions.DISCONNECT:
            self.end()
            return
        numbers = _numbers(asked.instrument_list)
        if not asked.instrument_list:
            self.refuse(REQUEST_INVALID)
        elif len(asked.instrument_list) > subscriptions.INSTRUMENTS_A_MESSAGE:
            self.refuse(TOO_MANY_INSTRUMENTS)
        elif code in self.subscribes:
            self._subscribe(self.subscribes[code], numbers)
        elif code - 1 in self.subscribes:
            for number in numbers:
                if self.modes.pop(number, None) is not None:
                    self._server.unsubscribe(self, number)
        else:
            self.refuse(REQUEST_INVALID)

    def tell_status(self, segments: Iterable[int]) -> None:
        """Tell that the market of some segments has opened or closed, of those that it has something of."""
        mine = {number.segment for number in self.modes}
        for segment in mine.intersection(segments):
            self.push(("status", segment), encoding.status(segment))

    def refuse(self, reason: int) -> None:
        """End it for a reason."""
        self.end(encoding.ended(reason))

    def _read(self, text: bytes) -> FeedRequest:
        return subscriptions.read_request(text)

    def _subscribe(self, mode: Mode | BinaryMode, numbers: list[Number]) -> None:
        if len(self.modes.keys() | set(numbers)) > subscriptions.INSTRUMENTS_A_CONNECTION:
            self.refuse(TOO_MANY_INSTRUMENTS)
            return
        for number in numbers:
            self.modes[number] = "ticker" if number.segment == INDEX else mode
            shown = self._server.subscribe(self, number)
            if shown is not None:
                self.push((number, 0), encoding.previous_close(number, shown))
                self.show(number, shown, {}, is_first=True)

    def show(self, number: Number, shown: Streamed, made: dict[str, bytes], *, is_first: bool = False) -> None:
        """Send it in the form that was asked for; open interest with quotes, when it moved."""
        mode = self.modes[number]
        frame = made.get(mode)
        if frame is None:
            frame = made[mode] = _MAKERS[mode](number, shown)
        self.push(number, frame)
        if mode == "quote" and (is_first or shown.interest_moved):
            interest = encoding.open_interest_of(shown)
            if interest:
                self.push((number, 1), encoding.open_interest(number, shown))


_MAKERS: Final = {"ticker": encoding.ticker, "quote": encoding.quote, "full": encoding.full, "depth": encoding.book}


class BinaryFeedSocket(FeedSocket):
    """Of the market feed in the protocol before the present one: tickers, quotes and books behind a login."""

    subscribes: ClassVar[Mapping[int, Mode | BinaryMode]] = binary_requests.BINARY_MODES
    logs_in = True

    def hear(self, text: bytes) -> None:
        """Take the login, and then what is asked."""
        if self.is_known:
            super().hear(text)
            return
        try:
            login = binary_requests.read_login(text)
        except SubscriptionError:
            self.refuse(TOKEN_WRONG)
            return
        if self._server.knows(login.token, login.client_id):
            self.let_in()
        else:
            self.refuse(TOKEN_WRONG)

    def _read(self, text: bytes) -> FeedRequest:
        return binary_requests.read_binary_request(text)


class DepthSocket(Socket):
    """A socket of depth: twenty levels."""

    levels: ClassVar[int] = deep.LEVELS
    instruments_max: ClassVar[int] = subscriptions.DEPTH_INSTRUMENTS_MAX

    def __init__(self, server: SocketsServer) -> None:
        """Be subscribed to nothing."""
        super().__init__(server)
        self.numbers: Final[set[Number]] = set()

    def hear(self, text: bytes) -> None:
        """Subscribe, unsubscribe or end."""
        try:
            code, listed = self._read(text)
        except SubscriptionError:
            self.refuse(REQUEST_INVALID)
            return
        numbers = _numbers(each for each in listed if each.exchange_segment in deep.SEGMENTS)
        if code == subscriptions.DISCONNECT:
            self.end()
        elif not listed:
            self.refuse(REQUEST_INVALID)
        elif code == subscriptions.DEPTH:
            if len(self.numbers | set(numbers)) > self.instruments_max:
                self.refuse(TOO_MANY_INSTRUMENTS)
                return
            for number in numbers:
                self.numbers.add(number)
                shown = self._server.subscribe(self, number)
                if shown is not None:
                    self.show(number, shown, {})
        elif code in subscriptions.DEPTH_ENDS:
            for number in numbers:
                self.numbers.discard(number)
                self._server.unsubscribe(self, number)
        else:
            self.refuse(REQUEST_INVALID)

    def refuse(self, reason: int) -> None:
        """End it for a reason."""
        self.end(encoding.depth_ended(reason))

    def show(self, number: Number, shown: Streamed, made: dict[str, bytes]) -> None:
        """Send both sides of the book."""
        kind = f"depth {self.levels}"
        frame = made.get(kind)
        if frame is None:
            frame = made[kind] = encoding.depth(number, shown, levels=self.levels)
        self.push(number, frame)

    def _read(self, text: bytes) -> tuple[int, tuple[subscriptions.Listed, ...]]:
        asked = subscriptions.read_request(text)
        return asked.request_code, asked.instrument_list


class DeepSocket(DepthSocket):
    """A socket of depth: two hundred levels of one instrument."""

    levels: ClassVar[int] = deep.LEVELS_MAX
    instruments_max: ClassVar[int] = 1

    def _read(self, text: bytes) -> tuple[int, tuple[subscriptions.Listed, ...]]:
        with contextlib.suppress(SubscriptionError):
            asked = subscriptions.read_deep_request(text)
            return asked.request_code, (subscriptions.Listed(asked.exchange_segment, asked.security_id),)
        return super()._read(text)  # the official client ends with the form of the other feeds


def _numbers(listed: Iterable[subscriptions.Listed]) -> list[Number]:
    """Return those that the sockets can name."""
    found = []
    for each in listed:
        segment = packets.SEGMENT_NUMBERS.get(each.exchange_segment)
        if segment is not None and int(each.security_id) <= 0xFFFF_FFFF:  # noqa: PLR2004  its 32 bits
            found.append(Number(segment, int(each.security_id)))
    return found
