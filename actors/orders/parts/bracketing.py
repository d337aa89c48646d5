"""The exits of brackets (plain): the pure rule says which steps a bracket needs, and each is taken once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from ....domain.brackets.at_market import failures
from ....domain.brackets.bracket import as_it_stands, held_as, turned_as
from ....domain.brackets.by_others import gone_of, is_sold_besides
from ....domain.brackets.exits import BRACKET, JUMPED_OVER, SQUARED_OFF, is_beyond, was_taken_back
from ....domain.brackets.guarding import doubts_its_stop, guarded_alone, has_no_target, lost_its_stop, unguarded
from ....domain.brackets.legs import entry_id, is_return
from ....domain.brackets.next_steps import is_done, next_steps
from ....domain.brackets.overnight import waits_for_a_day
from ....domain.brackets.resting import goes_second
from ....domain.brackets.steps import closes_at_market
from ....domain.calendar import next_open
from ....domain.freshness import age_fault
from ....domain.orders import Order, intent_of
from ....domain.time import SECOND_NS, day_of, day_start_ns
from ....domain.venues import session_of_symbol, venue_of_symbol
from ....domain.wording import printable
from ....messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderRejected,
    SubmitOrder,
)
from .. import modifications
from ..rules import NO_PRICE, Refusal
from .due import BracketDue, DayDue
from .senders import only_strategy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....domain.brackets.bracket import Bracket
    from ....domain.brackets.exits import AnyLeg
    from ....domain.brackets.steps import Step
    from ....domain.calendar import Exchange, Session
    from ....messages.orders import SquaringOffEnded
    from ...runtime import ActorAddress, Timer
    from .cancelling import Cancelling
    from .context import OrdersContext
    from .risk_keeping import RiskKeeper


_MOVES: Final = (OrderFilled, OrderCancelled, OrderExpired, OrderRejected, OrderModified)
"""Facts of an exit after which another may have to close more, or less."""

_ENDINGS: Final = (OrderFilled, OrderCancelled, OrderExpired, OrderRejected)
"""Facts of another order of its strategy after which a bracket may have to close more, or less."""

NOT_TAKEN: Final = "the broker took none"
"""Cause of REDUCING: the broker has taken none of the orders that were to close a bracket."""

PAUSE_MAX_S: Final = 300.0
"""Seconds from one order at the market that was to close a bracket to the next, at most: see `failures`."""

DOUBLINGS_MAX: Final = 10
"""Times that a pause doubles, at most."""


SQUARING_OFF_MAX_S: Final = 30.0
"""Seconds that a strategy may square off before a bracket closes what it holds without an order that does, and a person
is told: it may wait for the end of an order that never came."""

JUMPED_OVER_S: Final = 5.0
"""Seconds that the market is beyond the trigger of a stop that rests all the same, until it is closed at the market."""

OPENED_S: Final = 5.0
"""Seconds that a session is open before exits of a day before are placed again: a clock may be ahead of the broker's,
which refuses what comes too early."""

COMPARED_S: Final = 60.0
"""Seconds that they wait at most for a look at the broker's positions, counted from the opening of the session."""

DAY_LOOK_MAX_S: Final = 60.0
"""Seconds from one look whether the day has begun to the next, at most: a machine may sleep over it."""

DAY_LOOK_MIN_S: Final = 1.0
"""The same, at least."""


class Bracketing:
    """Keeps the exits of every bracket as they should be.

    Exits do not pass the gate: they close what their strategy holds, at prices that were judged with their entry, and a
    limit of the number of orders must not leave a position without its stop. In a halt nothing is done: the halt has
    cancelled them, except the stops that only close what is held.

    What did not come about is asked for again after a pause, which doubles each time, as long as it is needed. Whatever
    nothing closes although it should be closed at once lets only orders pass that reduce: a person should know.
    """

    def __init__(self, context: OrdersContext, risk: RiskKeeper, cancelling: Cancelling) -> None:
        """Begin with nothing asked, as after a restart: no id is submitted twice, and nothing changed that is so."""
        self._context: Final = context
        self._risk: Final = risk
        self._cancelling: Final = cancelling
        self._asked: dict[str, dict[Step, int]] = {}
        """By the entry's client order id: how often each step was taken, or put off."""

        self._timers: dict[str, dict[Step, Timer]] = {}
        """By the entry's client order id: the timers by which steps that are needed are taken again."""

        self._unguarded: dict[str, str] = {}
        """By the entry's client order id: what should be closed at once, and no order closes."""

        self._without_stop: dict[str, str] = {}
        """By the same, what is held without the stop that it was to have, or may be."""

        self._without_target: dict[str, str] = {}
        """By the same, what is held without the target that it was to have."""

        self._jumped_over: dict[str, Order] = {}
        """By the client order id, stops of no bracket that the market has jumped over, as they were then."""

        self._day: Timer | None = None
        """By which what is held over night has its exits again."""

        self._squaring: dict[tuple[str, str], int] = {}
        """By strategy and symbol: since when it closes the position itself, in nanoseconds of the second clock."""

        self._not_squared: dict[tuple[str, str], str] = {}
        """By the same: why it could not."""

        self._beyond: dict[str, tuple[int, int]] = {}
        """By the client order id of a stop, beyond whose trigger the market is: since when, in nanoseconds of the
        second clock, and the time of the price that showed it."""

    def begin_anew(self) -> None:
        """Take every step that is needed, at once: what was refused, or not done in a halt, may be possible now."""
        for timers in self._timers.values():
            for timer in timers.values():
                timer.cancel()
        self._asked.clear()
        self._timers.clear()
        book = self._context.ledger.book
        for entry in (*book.open_brackets, *book.bare_brackets):
            self._keep(entry, at_once=True)

    def look_at_all(self) -> None:
        """Look at every bracket."""
        for entry in self._context.ledger.book.brackets:
            self._keep(entry.client_order_id)

    def begin_day(self) -> None:
        """Look whether exits may be placed that wait for a session, or for a strategy."""
        if self._day is not None:
            self._day.cancel()
            self._day = None
        self.look_at_all()

    def begin_squaring_off(self, client_order_id: str, sender: ActorAddress) -> None:
        """Cancel an order for its strategy, which closes the position itself when that has ended.

        Meanwhile no bracket of it closes anything at the market: both would sell the same shares. In a halt it stays.
        """
        context, order = self._context, self._context.ledger.order(client_order_id)
        if halted := self._risk.why_halted():
            refusal = Refusal(rule="risk_state", reason=f"no halt wanted, in which nothing closes it, found {halted}")
            self._cancelling.refuse(client_order_id, refusal, sender)
            return
        if order is not None and only_strategy(sender) in {"", order.strategy}:
            self._squaring[order.strategy, order.symbol] = context.elapsed_ns()
            context.after(SQUARING_OFF_MAX_S + 1, DayDue())
        self._cancelling.cancel_for(
            client_order_id, sender, asked_by=SQUARED_OFF if self._is_exit(client_order_id) else ""
        )

    def end_squaring_off(self, ended: SquaringOffEnded) -> None:
        """Let brackets of a strategy close at the market what it has not closed, and remember why it has not."""
        of = (ended.strategy, ended.symbol)
        self._squaring.pop(of, None)
        self._not_squared.pop(of, None)
        if ended.reason and self._context.ledger.book.strategy_shares(*of):
            self._not_squared[of] = printable(ended.reason, 200)
        self._look_at(*of)

    def forget_squaring_off(self, strategy: str) -> None:
        """Take it that a strategy, which has begun anew, has forgotten what it was closing."""
        for of in [each for each in self._squaring if each[0] == strategy]:
            del self._squaring[of]
            self._look_at(*of)

    def _look_at(self, strategy: str, symbol: str) -> None:
        for entry in self._context.ledger.book.brackets:
            if (entry.strategy, entry.symbol) == (strategy, symbol):
                self._keep(entry.client_order_id)

    def _closes_itself(self, entry: Order) -> bool:
        """Say whether its strategy closes the shares of a bracket at the market, or is about to."""
        ledger = self._context.ledger
        if self._squares_off_s((entry.strategy, entry.symbol)) < SQUARING_OFF_MAX_S:
            return True
        return is_sold_besides(entry, (*ledger.book.open_orders(), *ledger.intents.values()))

    def _squares_off_s(self, of: tuple[str, str]) -> float:
        """Return for how long a strategy has squared off a symbol, in seconds; infinity: it does not."""
        since_ns = self._squaring.get(of)
        return math.inf if since_ns is None else (self._context.elapsed_ns() - since_ns) / SECOND_NS

    def _words_of_squared(self) -> tuple[str, ...]:
        """Say of what strategies hold, and could not close, that no order closes it."""
        book, slow = self._context.ledger.book, {}
        for of in self._squaring:
            if self._squares_off_s(of) >= SQUARING_OFF_MAX_S:
                slow[of] = f"it has closed nothing for {SQUARING_OFF_MAX_S:g} s"
        found = []
        for (strategy, symbol), why in (self._not_squared | slow).items():
            shares, closing = book.strategy_shares(strategy, symbol), 0
            if not shares:
                self._not_squared.pop((strategy, symbol), None)
                continue
            side = "SELL" if shares > 0 else "BUY"
            for each in book.open_orders():
                if (each.strategy, each.symbol, each.side) == (strategy, symbol, side) and each.broker_order_id:
                    closing += each.leaves
            if closing < abs(shares):
                found.append(f"{strategy}: {abs(shares) - closing} {symbol} held that it wanted closed: {why}")
        return tuple(found)

    def ask_again(self, entry: str, step: Step) -> None:
        """Ask once more for a step, if it is still needed."""
        self._timers.get(entry, {}).pop(step, None)
        self._keep(entry, due=step)

    def look_at_prices(self) -> None:
        """Have stops of brackets cancelled that the market has jumped over: what they were for is closed at the market.

        A stop has a limit at the broker. A market that jumps over it leaves it there, and the loss has no bound. What
        a price says has to be fresh, to be said by a later one, too, and to last: the trade may be on its way. One that
        somebody has changed at the broker may have its trigger elsewhere. Of other stops it is told: what their
        strategy wants then nobody knows.
        """
        context, before, told = self._context, self._beyond, self._jumped_over
        self._beyond, self._jumped_over = {}, {}
        if context.market is None or not context.is_read or self._risk.why_halted():
            return
        for stop in context.ledger.book.open_orders():
            name = stop.client_order_id
            price, price_ns = context.market.get(stop.symbol, NO_PRICE)
            if not price_ns or not is_beyond(stop, price) or name in context.changed_there:
                continue
            if self._is_old(price_ns):
                self._jumped_over |= {name: told[name]} if name in told else {}
                continue
            since_ns, first_ns = before.get(name, (context.elapsed_ns(), price_ns))
            lasts_s = (context.elapsed_ns() - since_ns) / SECOND_NS
            self._beyond[name] = since_ns, first_ns
            if lasts_s < JUMPED_OVER_S or price_ns <= first_ns or stop.cancelling is not None:
                continue
            is_of_bracket, is_known = self._is_exit(name), name in told
            if not is_of_bracket:
                self._jumped_over[name] = stop
            if not is_known:
                context.log(
                    "bracket.jumped_over" if is_of_bracket else "stop.jumped_over",
                    level="error",
                    client_order_id=name,
                    price=price,
                    trigger_price=stop.trigger_price,
                    limit_price=stop.limit_price,
                    lasts_s=round(lasts_s, 1),
                )
            if is_of_bracket:
                self._cancelling.cancel(name, "", JUMPED_OVER)

    def _is_exit(self, client_order_id: str) -> bool:
        """Say whether an order is an exit of a bracket."""
        entry = self._context.ledger.order(entry_id(client_order_id))
        return entry is not None and entry.has_bracket

    def _words_of_jumped(self, stop: Order) -> tuple[str, bool]:
        """Say of a stop of no bracket that it was jumped over, and whether it was to close what is held."""
        shares = self._context.ledger.book.strategy_shares(stop.strategy, stop.symbol)
        closes = min(stop.leaves, turned_as(stop, shares))
        of = f"{closes} {stop.symbol} held, and " if closes else f"{stop.symbol}: "
        price = stop.trigger_price if stop.limit_price is None else stop.limit_price
        which = "trigger" if stop.limit_price is None else "limit"
        return f"stop {stop.client_order_id}: {of}the market has jumped over its {which} of {price:.2f}", closes > 0

    def _is_old(self, price_ns: int) -> bool:
        limit_s = self._context.settings.price_age_max_s
        return bool(limit_s and age_fault("a price", price_ns, self._context.now_ns(), age_max_s=limit_s))

    def warning(self) -> str:
        """Return what a person should know of brackets; empty: nothing."""
        missed = (words for words, closes in map(self._words_of_jumped, self._jumped_over.values()) if not closes)
        return "; ".join((*self.unprotected, *self._without_target.values(), *missed))

    @property
    def unprotected(self) -> tuple[str, ...]:
        """Say of shares that are held why no order closes them although one should.

        Of a bracket, whose stop is gone or in doubt as well; of a stop of none that the market has jumped over; and of
        what a strategy wanted to close, and could not.
        """
        jumped = (words for words, closes in map(self._words_of_jumped, self._jumped_over.values()) if closes)
        return (*self._unguarded.values(), *self._without_stop.values(), *jumped, *self._words_of_squared())

    def look(self, client_order_id: str, facts: Sequence[object] = ()) -> None:
        """Do what is needed after these facts of an order: of the bracket that it is an entry or an exit of, if any.

        A trade may have closed what other brackets of its strategy were to close, or brought it; and an exit that will
        not close what it was for any more leaves that to them.
        """
        book = self._context.ledger.book
        order = book.order(client_order_id)
        moves = _MOVES if entry_id(client_order_id) else _ENDINGS
        if order is not None and any(isinstance(fact, moves) for fact in facts):
            self._look_at(order.strategy, order.symbol)
            told = self._unguarded | self._without_stop | self._without_target
            for over in [each for each in told if each not in book.open_brackets]:
                self._keep(over)
        for each in (client_order_id, entry_id(client_order_id)):
            order = book.order(each) if each else None
            if order is not None and order.has_bracket:
                self._keep(each)
                surplus = book.surplus(each)
                if surplus and any(isinstance(fact, OrderFilled) and fact.side != order.side for fact in facts):
                    self._context.log("bracket.overclosed", level="error", client_order_id=each, shares=surplus)

    def _keep(self, entry: str, *, due: Step | None = None, at_once: bool = False) -> None:
        """Do what a bracket needs, unless it was asked for a moment ago.

        Args:
            entry: its client order id.
            due: what was asked for, or put off, and is to be asked for now.
            at_once: put nothing off.
        """
        order = self._context.ledger.order(entry)
        if order is None or not self._context.is_read or self._risk.why_halted():
            return
        bracket = self._bracket(order, gone=self._gone(order))
        steps = next_steps(bracket)
        self._tell(bracket, is_at_rest=not steps)
        if waits_for_a_day(bracket):
            self._wait_for_a_day(order.symbol)
        steps = self._possible(steps, order)
        timers = self._timers.get(entry, {})
        for gone in [each for each in timers if each not in steps]:
            timers.pop(gone).cancel()
        if not steps:
            self._timers.pop(entry, None)
            if is_done(bracket):
                self._asked.pop(entry, None)
            return
        asked, timers = self._asked.setdefault(entry, {}), self._timers.setdefault(entry, timers)
        for step in steps:
            if step in timers or goes_second(step, bracket):
                continue
            failed = failures(bracket) if isinstance(step, SubmitOrder) and step.order_type == "MARKET" else 0
            tries = asked.get(step, failed)
            is_now = step == due or (step not in asked and (at_once or not failed))
            asked[step] = tries + is_now
            pause_s = self._pause_s(step, asked[step] - 1)
            timers[step] = self._context.after(pause_s, BracketDue(entry=entry, step=step))
            if is_now:
                self._do(step)

    def _possible(self, steps: tuple[Step, ...], entry: Order) -> tuple[Step, ...]:
        """Leave out what the exchange takes no order for now, and what would close beside the strategy itself."""
        if not self._takes_orders(entry.symbol) and any(isinstance(step, SubmitOrder) for step in steps):
            self._wait_for_a_day(entry.symbol)
            steps = tuple(step for step in steps if not isinstance(step, SubmitOrder))
        if any(map(closes_at_market, steps)) and self._closes_itself(entry):
            steps = tuple(step for step in steps if not closes_at_market(step))
        return steps

    def _bracket(self, entry: Order, *, gone: int = 0) -> Bracket:
        """Put a bracket together, of which others have closed so many shares that our book still has."""
        book, theirs, name = self._context.ledger.book, self._context.theirs, entry.client_order_id
        return as_it_stands(
            entry,
            self._exit,
            book.brackets,
            shares=book.strategy_shares(entry.strategy, entry.symbol),
            late=book.late(name),
            sold=book.sold(name) + gone,
            surplus=book.surplus(name),
            agreed=theirs.held(entry.symbol, book.position(entry.symbol)) if entry.symbol in theirs.symbols else (),
            order_max=self._context.freeze_quantities.get(entry.symbol),
            is_carried=(entry.product or self._context.settings.product) != "INTRADAY",
            day_began_ns=self._day_began_ns(entry.symbol),
        )

    def _session(self, symbol: str) -> Session | None:
        return session_of_symbol(symbol, self._context.now_ns(), self._exchange)

    @property
    def _exchange(self) -> Exchange:
        named = self._context.settings.session
        return "NSE" if named == "none" else named

    def _takes_orders(self, symbol: str) -> bool:
        """Say whether the broker takes an order now, as far as it has sessions."""
        if self._context.settings.session == "none":
            return True
        session = self._session(symbol)
        return session is not None and session.takes_orders(self._context.now_ns())

    def _day_began_ns(self, symbol: str) -> int:
        """Return when the day began, in India, on which exits of days before may be placed now; 0: not now.

        Its session is open, and the broker's positions were looked at: what is held by our book may have been sold
        meanwhile. Where they cannot be had for a minute, our book counts: a stop goes before.
        """
        context, session = self._context, self._session(symbol)
        now_ns = context.now_ns()
        if session is None or not session.has(now_ns):
            return 0
        open_s = (now_ns - session.open_ns) / SECOND_NS
        is_known = context.is_compared or not context.settings.is_compared or open_s >= COMPARED_S
        return day_start_ns(day_of(now_ns)) if is_known and open_s >= OPENED_S else 0

    def _wait_for_a_day(self, symbol: str) -> None:
        """Look again once its session has begun."""
        if self._day is not None:
            return
        context, session = self._context, self._session(symbol)
        now_ns, wait_s = context.now_ns(), DAY_LOOK_MIN_S
        if session is None or not session.has(now_ns) or self._day_began_ns(symbol):
            opens_ns = next_open(now_ns, *venue_of_symbol(symbol, self._exchange))
            wait_s = max((opens_ns - now_ns) / SECOND_NS + OPENED_S, DAY_LOOK_MIN_S)
        self._day = context.after(wait_s if context.market_rules else min(wait_s, DAY_LOOK_MAX_S), DayDue())

    def _gone(self, entry: Order) -> int:
        """Return how many shares of a bracket, which our book has still, others have certainly closed at the broker."""
        book, theirs = self._context.ledger.book, self._context.theirs
        closed = turned_as(entry, theirs.by_others(entry.symbol))
        if not closed:
            return 0
        alike = [each for each in book.brackets if (each.symbol, each.side) == (entry.symbol, entry.side)]
        held = held_as(entry, theirs.held(entry.symbol, book.position(entry.symbol))[-1])
        gone = gone_of([self._bracket(each).unclosed for each in alike], held, closed)
        return dict(zip((each.client_order_id for each in alike), gone, strict=True)).get(entry.client_order_id, 0)

    def _pause_s(self, step: Step, doublings: int) -> float:
        """Return the seconds until a step is asked for again."""
        settings = self._context.settings
        if isinstance(step, CancelOrder):
            return settings.reconcile_interval_s  # until then it is repeated by who cancels
        longest_s = PAUSE_MAX_S if isinstance(step, SubmitOrder) else settings.reconcile_interval_s
        return min(settings.lookup_interval_s * float(1 << min(doublings, DOUBLINGS_MAX)), longest_s)

    def _tell(self, bracket: Bracket, *, is_at_rest: bool) -> None:
        """Log what no order closes, and once an order closes it again.

        Args:
            bracket: as it stands.
            is_at_rest: nothing is to be done for it.
        """
        entry, shares = bracket.entry, unguarded(bracket)
        name = f"bracket {entry.client_order_id}"
        found = f"{name}: no order closes {shares} {entry.symbol}, {NOT_TAKEN}" if shares else ""
        bare_of_stop = bare_of_target = ""
        if is_at_rest and (held := lost_its_stop(bracket)) and not was_taken_back(bracket.stop):
            bare_of_stop = f"{name}: {held} {entry.symbol} held, and their stop is gone"
        elif doubts_its_stop(bracket):
            bare_of_stop = (
                f"{name}: {bracket.exposed} {entry.symbol} held, and it is not known whether the broker has their stop"
            )
        elif (guarded := guarded_alone(bracket)) is not None:
            bare_of_stop = f"{name}: {bracket.closable} {entry.symbol} held, and their stop is for {guarded} of them"
        elif has_no_target(bracket):
            bare_of_target = f"{name}: its target never came into the market"
        for of, told in (
            (self._unguarded, found),
            (self._without_stop, bare_of_stop),
            (self._without_target, bare_of_target),
        ):
            if told and of.get(entry.client_order_id) != told:
                self._context.log("bracket.unguarded", level="error", reason=told)
            of.pop(entry.client_order_id, None)
            if told:
                of[entry.client_order_id] = told
        self._risk.limit_by(BRACKET, "; ".join(self._unguarded.values()))

    def _exit(self, client_order_id: str) -> AnyLeg | None:
        ledger = self._context.ledger
        return ledger.order(client_order_id) or ledger.earlier(client_order_id)

    def _do(self, step: Step) -> None:
        context, now_ns = self._context, self._context.now_ns()
        if isinstance(step, SubmitOrder):
            if step.order_type == "MARKET":
                event = "bracket.given_back" if is_return(step.client_order_id) else "bracket.closed_at_market"
                context.log(event, level="error", client_order_id=step.client_order_id, shares=step.quantity)
            context.write((intent_of(step, now_ns),), step)
        elif isinstance(step, ModifyOrder):
            order = context.ledger.order(step.client_order_id)
            assert order is not None, "an exit that is open is changed"
            wanted = modifications.terms_wanted(order, step)
            context.write((modifications.intended(order, wanted, now_ns),))
        else:
            self._cancelling.cancel(step.client_order_id, "", BRACKET)
