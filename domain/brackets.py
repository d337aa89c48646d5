"""A bracket: an entry whose fills are closed by a target or by a stop, whichever trades first (pure).

The entry is an order like any other. Its exits are two orders of their own, of which one cancels the other:

    target   a LIMIT at the target price, id of the entry + `T`
    stop     a STOP at the stop price, id of the entry + `S`

`next_steps` says what is to be done now, from nothing but the orders as their facts describe them. So it may be asked
again at any time, after a restart too: what was done already is not wanted again, and as each order's id is known
before, none is sent twice.

The problem is that two orders close one position. If both fill, the position is turned round. So each exit is for what
the other has left, and made smaller with each fill of the other before anything else; what trades within that flight
cannot be helped (an order of the broker's own, which links both, has no such gap), nor what trades while nobody is
there. What exits have traded beyond what was there is counted, as long as it is held (`surplus`), and given back by a
MARKET order of the entry's side, id of the entry + `R` (then `Q`, `P`, and so on), once no exit can trade any more. And
the first exit that trades ends the entry: what would still come in would have an exit that is gone.

The broker may want funds for each of both, as if both would trade. So the target leaves when the broker has answered
the stop (`goes_second`): a target that finds no funds leaves the stop alone; a stop that finds none, since the target
has them, would have all closed at the market.

A position must not stand without its stop because the stop was refused, or had traded before the last shares came in:
a target alone would guard these against a gain. No more because the market has jumped over the limit that the stop has
at the broker, where it rests then (`is_beyond`): the caller, who knows prices, has it cancelled for that
(`JUMPED_OVER`). The rest is closed by a MARKET order, id of the entry + `X`, once
nothing else can close it any more, nor add to it; where that one is rejected, or never came to the broker, by another,
id of the entry + `Y`, then `Z`, and so on (`AT_MARKET`). These follow each other with pauses, which is the caller's to
see to (`failures`): a broker that takes nothing for a moment would have had all of them. Meanwhile, and when there is
none left, the shares are `unguarded`. Trades of the entry may be told late, though: when its exits have traded, or were
cancelled. What comes in then is closed in the same way, by one more of these. An exit that somebody cancelled is not
put back: that was wanted, of the shares that it was for. But where its strategy has had exits cancelled to close the
position itself (`SQUARED_OFF`), and could not, the rest is closed at the market; while it still tries, which is the
caller's to know, no such order leaves.

What came in may be closed by others: the strategy itself, or a person who has its shares closed. An exit would then
open a position. So what others have closed is counted (`sold`, from the trades alone: as many as the strategy holds
fewer than its brackets are for, of the oldest bracket first), and exits are made smaller by it; where nothing is left,
the entry is ended, and then its exits. None is placed or made greater beyond what the strategy holds beside what the
exits of its other brackets are for, nor beyond what the account holds by the broker's book, where that is another.
Where the strategy holds nothing any more and the entry has ended, those that there are are cancelled, and the bracket
is done.

Exits are orders for a day. What is held over night has others on the next day, at the prices that the ones before had:
their ids have the number of the day behind the letter (`S1`, `T1`). Whether what is held is carried, and since when a
day is begun on which they may be placed, the caller says (`is_carried`, `day_began_ns`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias, TypeVar

import msgspec
from msgspec.structs import replace

from ..messages.orders import CancelOrder, ModifyOrder, OrderRefused, OrderType, Side, SubmitOrder
from .client_order_ids import EXIT_LETTERS, LENGTH_MAX, base36
from .closing import closable
from .orders import Order

T = TypeVar("T")

Leg: TypeAlias = Literal[
    "target",
    "stop",
    "exit",
    "second_exit",
    "third_exit",
    "fourth_exit",
    "fifth_exit",
    "sixth_exit",
    "seventh_exit",
    "eighth_exit",
    "return",
    "second_return",
    "third_return",
    "fourth_return",
    "fifth_return",
    "sixth_return",
    "seventh_return",
    "eighth_return",
]

AT_MARKET: Final[tuple[Leg, ...]] = (
    *("exit", "second_exit", "third_exit", "fourth_exit"),
    *("fifth_exit", "sixth_exit", "seventh_exit", "eighth_exit"),
)
"""Exits by MARKET orders, one after the other."""

RETURNS: Final[tuple[Leg, ...]] = (
    *("return", "second_return", "third_return", "fourth_return"),
    *("fifth_return", "sixth_return", "seventh_return", "eighth_return"),
)
"""MARKET orders, one after the other, that reverse what the exits have traded beyond the position."""

EXITS: Final[tuple[Leg, ...]] = ("target", "stop", *AT_MARKET)

SUFFIXES: Final[dict[Leg, str]] = dict(zip((*EXITS, *RETURNS), EXIT_LETTERS, strict=True))
"""Suffix that the id of an exit adds to its entry's; ids of strategies end with a digit or a lower-case letter."""

_TYPES: Final[dict[Leg, OrderType]] = {
    "target": "LIMIT",
    "stop": "STOP",
    **dict.fromkeys(AT_MARKET + RETURNS, "MARKET"),
}


ENDINGS: Final = frozenset(SUFFIXES.values())

_OF_RETURNS: Final = frozenset(SUFFIXES[leg] for leg in RETURNS)

_OTHER: Final = {SUFFIXES["target"]: SUFFIXES["stop"], SUFFIXES["stop"]: SUFFIXES["target"]}

_EXIT_ID: Final = re.compile(r"(.+)([A-Z])((?:[1-9a-z][0-9a-z]?)?)", re.ASCII | re.DOTALL)
"""Entry, letter, and the number of the day in base 36, where it is not the first."""

_NO_EXIT: Final = ("", "", "")

GROWTHS_MAX: Final = 10
"""Times that an exit is made greater with each fill of its entry; from then on only once as much again is held, and
the rest follows when the entry has ended. A broker allows so many changes of an order (Dhan: 25), and those that make
it smaller must not lack."""

CHANGES_MAX: Final = 25
"""Changes of an exit, whatever for; one that can be changed no more is cancelled where it would be too great."""

SALES_MAX: Final = 15
"""Changes of an exit from which on it is made smaller by no sale of others: the rest is for what its other exit trades,
and one that can be changed no more is closed at the market. It stands as it is, until nothing is held."""

BRACKET: Final = "bracket"
"""Who asks for the cancellations of exits."""

JUMPED_OVER: Final = "bracket, whose stop the market has jumped over"
"""Who asks for the cancellation of a stop that the market has jumped over."""

SQUARED_OFF: Final = "strategy, which squares off"
"""Who asks for the cancellations of exits whose strategy then closes the position itself."""

AnyLeg: TypeAlias = Order | SubmitOrder | OrderRefused
"""An exit as it is in the book, on its way there, or refused by the risk gate."""

Step: TypeAlias = SubmitOrder | ModifyOrder | CancelOrder


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, and its exits as far as there are any."""

    entry: Order
    target: AnyLeg | None = None
    stop: AnyLeg | None = None
    exit: AnyLeg | None = None
    """The newest one at the market."""

    earlier: tuple[AnyLeg, ...] = ()
    """Those before."""

    held: int | None = None
    """Shares that the strategy holds of the symbol, as the entry bought or sold them; None: all that it has brought."""

    late: int = 0
    """Shares that came in when the entry had ended, and its exits too, and that nothing has closed since."""

    sold: int = 0
    """Shares of the entry that others have closed than its exits."""

    free: int | None = None
    """Shares of the symbol that exits of this bracket may close at most: what the account holds by both books, ours and
    the broker's, and the strategy beside what exits of its other brackets are for; None: as many as are held."""

    returns: tuple[AnyLeg, ...] = ()
    """Orders that reverse what its exits have traded beyond the position, those still needed included."""

    surplus: int = 0
    """Shares that its exits have traded too much, and that are held as these have traded them."""

    returnable: int | None = None
    """Shares that may be given back at most: what is held of the other side than the entry's, counted as `free`; None:
    all of the surplus."""

    past: tuple[AnyLeg, ...] = ()
    """Stops and targets of days that are over."""

    day: int = 0
    """Number of the newest day that has a stop or a target: 0 is the first."""

    order_max: int | None = None
    """Shares of the greatest order that the exchange takes; None: any, or it is not known."""

    is_carried: bool = False
    """Whether what is held in the evening is held in the morning: the broker does not close it before."""

    day_began_ns: int = 0
    """Exits of before may be placed again now, those that were made before this time: nanoseconds since 1970-01-01 UTC;
    0: not now."""

    @property
    def exposed(self) -> int:
        """Shares of the entry that nothing has closed."""
        return 0 if self.held == 0 and not self.entry.is_open else self.unclosed

    @property
    def unclosed(self) -> int:
        """The same, also where nothing is held any more, so that a trade beside the bracket has closed them."""
        return max(0, self._balance)

    @property
    def excess(self) -> int:
        """Shares that were closed beyond the entry's and not reversed yet."""
        return max(0, -self._balance)

    @property
    def _balance(self) -> int:
        """Shares of the entry, and given back, less those closed: by its exits, of which both may trade, and others."""
        exits = (self.target, self.stop, self.exit, *self.earlier, *self.past)
        return self.entry.filled + sum(map(_filled, self.returns)) - sum(map(_filled, exits)) - self.sold

    @property
    def closable(self) -> int:
        """Those of them that an exit may close: the strategy holds as many, and they are free."""
        return min((self.exposed, *(each for each in (self.held, self.free) if each is not None)))

    def in_one_order(self, shares: int) -> int:
        """Return how many of these shares one order may be for; the next one at the market is for the rest."""
        return shares if self.order_max is None else min(shares, self.order_max)


def sold_of(unclosed: Iterable[int], held: int) -> tuple[int, ...]:
    """Return how many shares of each of some brackets others have closed, if only so many are held.

    Args:
        unclosed: shares that each is for, of brackets of one side, oldest first.
        held: shares of that side that their strategy holds.
    """
    shares = [max(each, 0) for each in unclosed]
    excess, found = max(0, sum(shares) - held), []
    for each in shares:
        found.append(min(each, excess))
        excess -= found[-1]
    return tuple(found)


def gone_of(unclosed: Iterable[int], held: int, by_others: int) -> tuple[int, ...]:
    """Return how many shares of each of some brackets others have closed at the broker, where our book has them still.

    Args:
        unclosed: as for `sold_of`; of brackets of all strategies.
        held: shares of that side that the account holds by the broker's book.
        by_others: shares that others have closed.
    """
    shares = tuple(unclosed)
    return sold_of(shares, max(held, sum(max(each, 0) for each in shares) - by_others))


def lost_its_stop(bracket: Bracket) -> int:
    """Return the shares that are held, were to have a stop, and have none any more: it was in the market, and ended.

    Not where the next day has another.
    """
    stop = bracket.stop
    if not isinstance(stop, Order) or stop.state not in {"CANCELLED", "EXPIRED"}:
        return 0
    if _comes_back(stop, bracket) and not (_is_due(stop, bracket) and not bracket.closable):
        return 0
    return bracket.exposed if bracket.held is None else min(bracket.exposed, bracket.held)


def doubts_its_stop(bracket: Bracket) -> bool:
    """Say whether it is not known that the broker has the stop of what is held: its request was not answered."""
    stop = bracket.stop
    return bracket.exposed > 0 and isinstance(stop, Order) and stop.state == "UNKNOWN"


def guarded_alone(bracket: Bracket) -> int | None:
    """Return for how many shares the stop of what is held is, where that is too few and stays so; None: it is not.

    The broker has refused to make it greater, or it has been made greater as often as it may while its entry fills.
    """
    stop = bracket.stop
    if not isinstance(stop, Order) or not stop.is_open or not stop.broker_order_id:
        return None
    waits = bracket.entry.is_open and stop.pending is None and stop.modifications >= GROWTHS_MAX
    stays = stop.settled > stop.in_effect or waits
    shares = stop.quantity - stop.filled
    return shares if stays and shares < bracket.closable else None


def is_bare(bracket: Bracket) -> bool:
    """Say whether shares are held without an exit that they were to have, and that nothing puts back."""
    return lost_its_stop(bracket) > 0 or has_no_target(bracket)


def waits_for_a_day(bracket: Bracket) -> bool:
    """Say whether what is held has exits again on the next day that it is traded."""
    legs = (bracket.target, bracket.stop)
    return bracket.exposed > 0 and any(_comes_back(leg, bracket) and not _is_due(leg, bracket) for leg in legs)


def was_taken_back(leg: AnyLeg | None) -> bool:
    """Say whether a person, a strategy or a halt has asked for the cancellation of an exit, so that it was wanted."""
    asked = leg.asked_to_cancel if isinstance(leg, Order) else None
    return asked is not None and asked.asked_by not in {BRACKET, JUMPED_OVER, SQUARED_OFF}


def is_beyond(stop: AnyLeg | None, price: float) -> bool:
    """Say whether the market is where a stop that is at the broker has traded, or does not trade any more.

    That is beyond its limit; of one without a limit, beyond its trigger: what limit it has there is not known.

    Args:
        stop: one that is open, or not.
        price: the last one of the market: rupees.
    """
    if not isinstance(stop, Order) or not stop.is_open or not stop.broker_order_id or stop.trigger_price is None:
        return False
    last = stop.trigger_price if stop.limit_price is None else stop.limit_price
    return price < last if stop.side == "SELL" else price > last


def held_as(entry: Order, shares: int) -> int:
    """Return how many of the signed shares held are as its entry bought or sold them."""
    return max(shares if entry.side == "BUY" else -shares, 0)


def turned_as(entry: Order, shares: int) -> int:
    """Return how many of the signed shares held are as the exits of an entry sold or bought them."""
    return held_as(entry, -shares)


def as_it_stands(  # noqa: PLR0913  each is one thing that is looked at
    entry: Order,
    find: Callable[[str], AnyLeg | None],
    beside: Iterable[Order],
    *,
    shares: int,
    late: int,
    sold: int,
    surplus: int,
    agreed: tuple[int, ...] = (),
    order_max: int | None = None,
    is_carried: bool = False,
    day_began_ns: int = 0,
) -> Bracket:
    """Put a bracket together.

    Args:
        entry: of it.
        find: returns an exit, given its id.
        beside: entries of the brackets of the account, this one may be among them.
        shares: that its strategy holds of the symbol: signed.
        late: shares that came in when nothing was left to guard them.
        sold: shares of it that others have closed.
        surplus: shares that its exits have traded too much, and that are held.
        agreed: what the account holds, as our book and the broker's say it; empty: these agree.
        order_max: as in `Bracket`, and so the other two.
        is_carried: as there.
        day_began_ns: as there.
    """
    at_market, returns = (_in_turn(find, entry.client_order_id, names) for names in (AT_MARKET, RETURNS))
    days = _days(find, entry.client_order_id)
    targets = [target for target, _ in days if target is not None]
    stops = [stop for _, stop in days if stop is not None]
    held = held_as(entry, shares)
    side: Side = "SELL" if entry.side == "BUY" else "BUY"
    claimed: Counter[Side] = Counter()
    for each in beside:
        is_beside = each.client_order_id != entry.client_order_id
        if is_beside and (each.strategy, each.symbol) == (entry.strategy, entry.symbol):
            claimed[each.side] += _claimed(find, each.client_order_id)

    def closable_by(closing: Side, held: int, opened_by: Side) -> int:
        ours = max(0, held - claimed[opened_by])
        return min(ours, closable(closing, *agreed)) if agreed else ours

    return Bracket(
        entry=entry,
        target=targets[-1] if targets else None,
        stop=stops[-1] if stops else None,
        exit=at_market[-1] if at_market else None,
        earlier=tuple(at_market[:-1]),
        late=late,
        sold=sold,
        held=held,
        free=closable_by(side, held, entry.side),
        returns=tuple(returns),
        surplus=surplus,
        returnable=closable_by(entry.side, turned_as(entry, shares), side),
        past=(*targets[:-1], *stops[:-1]),
        day=len(days) - 1,
        order_max=order_max,
        is_carried=is_carried,
        day_began_ns=day_began_ns,
    )


def newest_exit(find: Callable[[str], T], entry: str, leg: Literal["target", "stop"]) -> T | None:
    """Return the target, or the stop, of the newest day that has one; None: there is none yet.

    Args:
        find: returns an exit, given its id.
        entry: the client order id of the entry.
        leg: which of both.
    """
    place = 0 if leg == "target" else 1
    return next((day[place] for day in reversed(_days(find, entry)) if day[place] is not None), None)


def _days(find: Callable[[str], T], entry: str) -> list[tuple[T, T]]:
    """Return the target and the stop of each day: of the first one, and of those after it that have any."""
    days: list[tuple[T, T]] = []
    while not days or days[-1] != (None, None):
        day = len(days)
        days.append((find(leg_id(entry, "target", day)), find(leg_id(entry, "stop", day))))
    return days[:-1] or days


def _in_turn(find: Callable[[str], AnyLeg | None], entry: str, names: Iterable[Leg]) -> list[AnyLeg]:
    """Return the orders that there are of some that follow each other."""
    found = []
    for name in names:
        if (each := find(leg_id(entry, name))) is None:
            break
        found.append(each)
    return found


def _claimed(find: Callable[[str], AnyLeg | None], entry: str) -> int:
    """Return how many shares the exits of a bracket may close: one of them cancels the others."""
    days = _days(find, entry)
    resting = [each for day in days for each in day if each is not None]
    return max((_leaves(each) for each in (*resting, *_in_turn(find, entry, AT_MARKET))), default=0)


def is_sold_besides(entry: Order, others: Iterable[Order | SubmitOrder]) -> bool:
    """Say whether an order of its strategy closes at the market what a bracket holds: none of the bracket does then.

    Args:
        entry: of the bracket.
        others: orders that may trade, of whatever strategy.
    """
    return any(
        each.order_type == "MARKET"
        and (each.strategy, each.symbol) == (entry.strategy, entry.symbol)
        and each.side != entry.side
        and not entry_id(each.client_order_id)
        for each in others
    )


def closes_at_market(step: Step) -> bool:
    """Say whether a step sells what is held at the market, for want of a stop."""
    return isinstance(step, SubmitOrder) and step.order_type == "MARKET" and not is_return(step.client_order_id)


def leaving(find: Callable[[str], AnyLeg | None], entry: str) -> int:
    """Return how many shares orders at the market may still close of a bracket.

    Args:
        find: returns an exit, given its id.
        entry: the client order id of the entry.
    """
    return sum(map(_leaves, _in_turn(find, entry, AT_MARKET)))


def _leaves(leg: AnyLeg) -> int:
    if isinstance(leg, Order):
        return leg.leaves
    return leg.quantity if isinstance(leg, SubmitOrder) else 0


def leg_id(entry_id: str, leg: Leg, day: int = 0) -> str:
    """Return the client order id of an exit.

    Args:
        entry_id: of its entry.
        leg: which exit.
        day: the number of its day, of a target or a stop: 0 is the first.
    """
    return f"{entry_id}{SUFFIXES[leg]}{base36(day) if day else ''}"


def entry_id(client_order_id: str) -> str:
    """Return the id of the entry that an order of this id would be an exit of; empty: of none."""
    return _parts(client_order_id)[0]


def purpose(client_order_id: str) -> str:
    """Say what an exit of this id is for, in words that follow "it"; empty: the id is no exit's."""
    entry, letter, _ = _parts(client_order_id)
    if not entry:
        return ""
    if letter in _OTHER:
        name = "target" if letter == SUFFIXES["target"] else "stop loss"
        return f"is the {name} of the bracket {entry}"
    if letter in _OF_RETURNS:
        return f"gives back what the exits of the bracket {entry} have traded too much"
    return f"closes at the market what had no other exit of the bracket {entry}"


def is_return(client_order_id: str) -> bool:
    """Say whether an exit of this id is one that gives back what others have traded too much."""
    return _parts(client_order_id)[1] in _OF_RETURNS


def other_exit_id(client_order_id: str) -> str:
    """Return the id of the exit that cancels this one and is cancelled by it, if it is one; else empty."""
    entry, letter, day = _parts(client_order_id)
    return f"{entry}{_OTHER[letter]}{day}" if letter in _OTHER else ""


def _parts(client_order_id: str) -> tuple[str, str, str]:
    """Return the entry, the letter and the day of an exit's id; empty: it is no exit's."""
    ending = client_order_id[-3:]
    if ending == ending.lower():  # as of most orders; the rest takes ten times as long
        return _NO_EXIT
    found = _EXIT_ID.fullmatch(client_order_id)
    if found is None:
        return _NO_EXIT
    entry, letter, day = found.groups()
    return (entry, letter, day) if letter in (_OTHER if day else ENDINGS) else _NO_EXIT


def next_steps(bracket: Bracket) -> tuple[Step, ...]:
    """Return the steps to take now, the most urgent first."""
    entry, exits = bracket.entry, (bracket.target, bracket.stop)
    exited = any(_filled(leg) for leg in (*exits, bracket.exit))
    exposed, closable, late = bracket.exposed, bracket.closable, min(bracket.late, bracket.exposed)
    steps: list[Step] = []
    must_leave = exposed > 0 and (bracket.exit is not None or _is_without_exit(bracket) or late > 0)
    if entry.is_open and (exited or must_leave):
        steps.append(_cancel(entry))
    if exposed <= 0 and bracket.sold and entry.is_open and not exited:
        # First the entry: a fill after its exits have ended would have none.
        standing = any(leg is not None and _may_trade(leg) for leg in exits)
        return (_cancel(entry),) if standing else ()
    if exposed <= 0:
        steps += [_cancel(leg) for leg in (*exits, bracket.exit) if leg is not None and _may_trade(leg)]
        return tuple(steps) if steps or entry.is_open else _give_back(bracket)
    if must_leave:
        trading = [leg for leg in exits if leg is not None and _may_trade(leg)]
        at_market = len(bracket.earlier) + (bracket.exit is not None)
        may_follow = _may_follow(bracket.exit, late) or _was_for_fewer(bracket)
        may_leave = not trading and not entry.is_open and may_follow
        wanted = bracket.in_one_order(min(closable, late) if late else closable)
        if may_leave and wanted > 0 and at_market < len(AT_MARKET):
            steps.append(_submit(entry, AT_MARKET[at_market], wanted))
        return (*steps, *map(_cancel, trading))
    if entry.stop_loss_price is not None:
        steps += _exit(bracket, "stop", bracket.stop, closable)
    if entry.target_price is not None:
        steps += _exit(bracket, "target", bracket.target, closable)
    return tuple(steps)


def goes_second(step: Step, bracket: Bracket) -> bool:
    """Say whether a step is to place the target, and the broker has not answered the stop, which needs funds first."""
    if bracket.entry.stop_loss_price is None or not isinstance(step, SubmitOrder):
        return False
    stop = bracket.stop
    is_asked = stop is None or isinstance(stop, SubmitOrder) or (isinstance(stop, Order) and stop.state == "INTENDED")
    is_target = _parts(step.client_order_id)[1] == SUFFIXES["target"]
    return is_target and (is_asked or _is_due(stop, bracket))


def is_done(bracket: Bracket) -> bool:
    """Say whether nothing will have to be done any more, whatever comes but a late trade."""
    legs = [leg for leg in (bracket.target, bracket.stop, bracket.exit, *bracket.returns) if leg is not None]
    if bracket.entry.is_open or any(map(_may_trade, legs)):
        return False
    if not legs:
        return bracket.exposed <= 0  # else the position would lack its exits
    if bracket.exposed > 0 and any(_comes_back(leg, bracket) for leg in (bracket.target, bracket.stop)):
        return False
    return not next_steps(bracket) and not unguarded(bracket)


def failures(bracket: Bracket) -> int:
    """Return how many of the orders that were to close it at the market, the newest ones, never were in the market.

    One that is on its way counts neither as one of them nor as one that was.
    """
    tried = (*bracket.earlier, *([] if bracket.exit is None else [bracket.exit]))
    found = 0
    for each in reversed(tried if bracket.exposed else bracket.returns):
        if isinstance(each, Order) and not _was_never_in_the_market(each) and not _is_on_its_way(each):
            break
        found += not _may_trade(each)
    return found


def unguarded(bracket: Bracket) -> int:
    """Return the shares that nothing closes although an order was to at once: none came into the market so far.

    The next one, as long as it is on its way, closes nothing: the broker may refuse it as well.
    """
    exits = [leg for leg in (bracket.target, bracket.stop) if leg is not None and _may_trade(leg)]
    at_market = [leg for leg in (bracket.exit, *bracket.returns) if leg is not None and _may_trade(leg)]
    if bracket.entry.is_open or exits or not all(map(_is_on_its_way, at_market)) or not failures(bracket):
        return 0
    return bracket.exposed or bracket.surplus


def has_no_target(bracket: Bracket) -> bool:
    """Say whether what is held was to have a target, and this never came into the market."""
    target = bracket.target
    if bracket.exit is not None or not bracket.exposed:
        return False
    return isinstance(target, OrderRefused) or (isinstance(target, Order) and _was_never_in_the_market(target))


def _was_for_fewer(bracket: Bracket) -> bool:
    """Say whether the newest exit at the market has traded all that it was for, and that was not all that had to leave.

    Exits of another bracket were for the rest, or might have been, and were not in the end.
    """
    newest = bracket.exit
    return isinstance(newest, Order) and newest.state == "FILLED" and _is_without_exit(bracket)


def _give_back(bracket: Bracket) -> tuple[Step, ...]:
    """Reverse what the exits have traded beyond the position, as far as it is held."""
    returns, shares = bracket.returns, bracket.surplus
    wanted = shares if bracket.returnable is None else min(shares, bracket.returnable)
    if wanted <= 0 or len(returns) == len(RETURNS) or not _may_follow(returns[-1] if returns else None, shares):
        return ()
    return (_submit(bracket.entry, RETURNS[len(returns)], bracket.in_one_order(wanted)),)


def _may_follow(last: AnyLeg | None, late: int) -> bool:
    """Say whether one more order at the market may follow the last, which nobody took back.

    Shares are late, or it never was in the market: what it was to close has no exit, and a person sleeps.
    """
    if last is None or _may_trade(last):
        return last is None
    if isinstance(last, Order):
        return _was_to_square_off(last) or (last.state != "CANCELLED" and (late > 0 or _was_never_in_the_market(last)))
    return late > 0


def _filled(leg: AnyLeg | None) -> int:
    return leg.filled if isinstance(leg, Order) else 0


def _may_trade(leg: AnyLeg) -> bool:
    return leg.is_open if isinstance(leg, Order) else isinstance(leg, SubmitOrder)


def _is_on_its_way(leg: AnyLeg) -> bool:
    """Say whether an order may trade although the broker has not confirmed it."""
    return _may_trade(leg) and not (isinstance(leg, Order) and (leg.broker_order_id or leg.filled))


def _is_without_exit(bracket: Bracket) -> bool:
    """Say whether what is held has no exit that it should have: the stop cannot guard it, or the target has traded.

    Or its strategy has had one cancelled to close the position itself.
    """
    stop, target = bracket.stop, bracket.target
    if any(isinstance(leg, Order) and _was_to_square_off(leg) for leg in (stop, target)):
        return True
    if isinstance(stop, OrderRefused) or (isinstance(stop, Order) and _guards_no_more(stop)):
        return True
    has_traded = isinstance(target, Order) and target.state == "FILLED"
    return has_traded and (stop is None or not _may_trade(stop))


def _guards_no_more(stop: Order) -> bool:
    """Say whether it has traded for less than came in since, was never in the market, or was cancelled for a reason.

    That is that it could be changed no more, or that the market has jumped over it.
    """
    asked = stop.asked_to_cancel
    is_for_a_reason = stop.modifications >= CHANGES_MAX or (asked is not None and asked.asked_by == JUMPED_OVER)
    return _was_never_in_the_market(stop) or stop.state == "FILLED" or (stop.state == "CANCELLED" and is_for_a_reason)


def _was_to_square_off(leg: Order) -> bool:
    asked = leg.asked_to_cancel
    return leg.state == "CANCELLED" and asked is not None and asked.asked_by == SQUARED_OFF


def _was_never_in_the_market(leg: Order) -> bool:
    return leg.state == "REJECTED" or leg.was_never_placed


def _comes_back(leg: AnyLeg | None, bracket: Bracket) -> bool:
    """Say whether an exit has ended with its day, and what it is for has another on the next one."""
    if not bracket.is_carried or not isinstance(leg, Order) or leg.state != "EXPIRED" or leg.was_never_placed:
        return False
    longest = leg_id(bracket.entry.client_order_id, "stop", bracket.day + 1)
    return not was_taken_back(leg) and len(longest) <= LENGTH_MAX


def _is_due(leg: AnyLeg | None, bracket: Bracket) -> bool:
    """Say whether that day has begun."""
    return isinstance(leg, Order) and _comes_back(leg, bracket) and leg.intended_ns < bracket.day_began_ns


def _place(bracket: Bracket, leg: Leg, known: Order | None, quantity: int) -> tuple[Step, ...]:
    """Place an exit; where there was one, of a day that is over, at the prices that it had then."""
    if not quantity:
        return ()
    first = _submit(bracket.entry, leg, quantity)
    if known is None:
        return (first,)
    others = [each for each in (bracket.target, bracket.stop) if each is not None and each is not known]
    is_begun = any(isinstance(each, SubmitOrder) or _is_of_today(each, bracket) for each in others)
    ids = [leg_id(bracket.entry.client_order_id, leg, bracket.day + ahead) for ahead in (0, 1)]
    again = replace(
        first,
        client_order_id=ids[0] if is_begun and ids[0] != known.client_order_id else ids[1],
        limit_price=known.limit_price,
        trigger_price=known.trigger_price,
    )
    return (again,)


def _is_of_today(leg: AnyLeg, bracket: Bracket) -> bool:
    return isinstance(leg, Order) and leg.intended_ns >= bracket.day_began_ns


def _grew_enough(leg: Order, wanted: int) -> bool:
    """Say whether an exit waits for the end of its entry to be made greater once more."""
    if leg.modifications < GROWTHS_MAX:
        return False
    return leg.modifications >= SALES_MAX or wanted < 2 * leg.quantity


def _exit(bracket: Bracket, leg: Leg, known: AnyLeg | None, closable: int) -> tuple[Step, ...]:
    """Have an exit in the market that is as great as what is held needs, beside what it has closed itself."""
    entry, exposed = bracket.entry, bracket.exposed
    due = known if isinstance(known, Order) and _is_due(known, bracket) else None
    if known is None or due is not None:
        return _place(bracket, leg, due, closable)
    if not isinstance(known, Order) or not known.is_open or known.pending is not None or not known.broker_order_id:
        return ()
    wanted = known.filled + exposed
    if wanted > known.quantity:
        wanted = max(known.quantity, known.filled + closable)
    if known.quantity == wanted or (known.quantity < wanted and entry.is_open and _grew_enough(known, wanted)):
        return ()
    if wanted < known.quantity <= wanted + bracket.sold and known.modifications >= SALES_MAX:
        return ()
    if known.modifications >= CHANGES_MAX:
        return (_cancel(known),) if known.quantity > wanted or leg == "stop" else ()
    return (ModifyOrder(client_order_id=known.client_order_id, quantity=wanted),)


def _cancel(order: Order | AnyLeg) -> CancelOrder:
    return CancelOrder(client_order_id=order.client_order_id)


def _submit(entry: Order, leg: Leg, quantity: int) -> SubmitOrder:
    return SubmitOrder(
        client_order_id=leg_id(entry.client_order_id, leg),
        strategy=entry.strategy,
        symbol=entry.symbol,
        side=entry.side if leg in RETURNS else "SELL" if entry.side == "BUY" else "BUY",
        quantity=quantity,
        order_type=_TYPES[leg],
        limit_price=entry.target_price if leg == "target" else None,
        trigger_price=entry.stop_loss_price if leg == "stop" else None,
        product=entry.product,
    )
