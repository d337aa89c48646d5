"""The account actor: the paper exchange where it keeps an account as a broker does, for whoever speaks its protocol.

Owns    one Account (see account/), and the answers that wait until what they tell of is durable.
Hears   Tick; Call and AddListings of the wire; Appended, AppendRefused, Failed and Unavailable of the journal, and
        JournalPage as the answer to what it asks.
Sends   Answered or CallRefused to who called, in the order of the calls; ReadJournal and Append to the journal, one
        Append at a time: what happens meanwhile goes into the next, and so does what time has brought and nobody
        waits for, for a moment.
Fails   when the journal does not answer: the account may be ahead of it, so it is read again, and who waits is in
        doubt. Where the journal refuses, nothing has happened: who waits is told so, and the account is read again,
        without a failure. In a new process, too, the account is the facts in the journal: orders in transit arrive,
        open orders rest.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...config.sections.exchange import ExchangeSettings
from ...domain.freshness import is_late
from ...domain.time import SECOND_NS
from ...messages.accounts import AccountChoice
from ...messages.addresses import JOURNAL
from ...messages.broker import ExchangeStatistics
from ...messages.exchange import AccountServed
from ...messages.journal import Append, Appended, AppendRefused, ReadJournal
from ...messages.market import Tick
from ...messages.supervision import Failed, Unavailable
from ..runtime import READS_BACK_S, JournalPages, RuntimeActor, handles
from .account import Account, Listing, Listings, Refused
from .account.refusals import ExchangeError, Unlisted
from .calls import VERBS, VIEWS, AddListings, Answered, Call, CallRefused
from .remembering import TYPES, RememberedAccount

if TYPE_CHECKING:
    from ...messages.exchange import ExchangeFact
    from ..runtime import ActorAddress, Timer

PAGE_RECORDS: Final = 10_000
PAGE_S: Final = 5.0
"""Seconds that the journal may take for a page: one that is restarted meanwhile has forgotten who asked."""

FACTS_AT_ONCE_MAX: Final = 2_000
"""Facts of one Append."""

CALLS_WAITING_MAX: Final = 10_000
"""Calls whose changes are not durable yet; one more is refused."""

QUIET_NS: Final = 2_000_000
"""How long after a call or an answer changes that no call has caused may wait for the next call: a commit of their own
would delay a call that comes meanwhile."""

RETRY_S: Final = 1.0


class JournalBehindError(ExchangeError):
    """The journal did not take facts: the account must be read again."""


class AccountActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The user's settings, the instruments, and the account of the run."""

    limits: ExchangeSettings
    listings: tuple[Listing, ...] = ()
    account: AccountChoice = "session"


class Open(msgspec.Struct, frozen=True, gc=False):
    """To itself: read the journal."""


class Due(msgspec.Struct, frozen=True, gc=False):
    """To itself: time brings something."""


class AccountActor(RuntimeActor):
    """Passes calls and ticks to the account, makes its changes durable, and only then answers."""

    start_s = READS_BACK_S
    ready_when_told = True
    stash_max = CALLS_WAITING_MAX
    settings: AccountActorSettings

    def on_start(self) -> None:
        """Begin to read the account; the start is complete when it is known."""
        self._listings = Listings(self.settings.listings)
        self._ticks: dict[str, Tick] = {}
        self._begin()
        self.send(self.myAddress, Open())

    def snapshot(self) -> tuple[Listings, dict[str, Tick]]:
        """Hand over the market: the account itself is read again."""
        return self._listings, self._ticks

    def restore(self, state: tuple[Listings, dict[str, Tick]]) -> None:
        """Take the market over."""
        self._listings, self._ticks = state

    def _begin(self) -> None:
        self._account: Account | None = None
        self._remembered = remembered = RememberedAccount(self.settings.account)
        self._pages = JournalPages(
            self,
            ReadJournal(types=TYPES, records_max=PAGE_RECORDS),
            timeout_s=PAGE_S,
            take=lambda record: remembered.apply(record.fact),
            done=self._serve,
            unanswered=lambda _: self.after(RETRY_S, Open()),
        )
        self._facts: list[ExchangeFact] = []
        self._writing = 0
        """Facts of the Append that is not confirmed yet."""

        self._writer = f"{self.name}-{self.random.getrandbits(64):x}"
        self._appends = 0
        self._waiting: deque[tuple[int, ActorAddress, Any]] = deque()
        """Answers, each with the number of facts, of all so far, that must be durable before it goes."""

        self._made = self._durable = 0
        self._quiet_ns = 0
        """Time from which facts that no answer waits for are written at once (ns)."""

        self._timer: Timer | None = None
        self._armed_ns = 0
        """When it is due."""

    # Opening.

    @handles(Open)
    def open(self, _message: Open, _sender: ActorAddress) -> None:
        """Ask the journal for the facts of the exchange."""
        if self._account is None:
            self._pages.read()

    def _serve(self) -> None:
        remembered, now_ns = self._remembered, self.clock.now_ns()
        self._account = account = Account(self.settings.limits, self._listings, now_ns=now_ns)
        account.resume(state=remembered.state)
        if remembered.account != remembered.written:
            self._facts.append(AccountServed(account=remembered.account, occurred_ns=now_ns))
            self._made += 1
        for tick in self._ticks.values():
            self._keep(account.move(tick))
        self._pass_time()
        self._write()
        self.log("exchange.account_served", account=remembered.account, orders=len(account.orders()))
        self.unstash_all()
        self.ready()

    @handles(Failed, Unavailable)
    def hear_failure(self, answer: Failed | Unavailable, _sender: ActorAddress) -> None:
        """Fail if the journal may have lost what was written."""
        if answer.actor == JOURNAL and self._writing:
            raise JournalBehindError(f"{self._writing} facts to be durable wanted, found the journal not answering")

    # Serving.

    @handles(Tick)
    def move(self, tick: Tick, _sender: ActorAddress) -> None:
        """Move the market."""
        known = self._ticks.get(tick.symbol)
        if known is None or not is_late(tick.exchange_ns, known.exchange_ns, tick.received_ns):
            self._ticks[tick.symbol] = tick
        if self._account is not None:
            self._pass_time()
            self._keep(self._account.move(tick))
            self._write()

    @handles(Call, from_outside=True)
    def call(self, call: Call, sender: ActorAddress) -> None:
        """Do what is asked; answer when it is durable, and with it everything that happened before."""
        if self._account is None:
            self.stash(call, sender)
            return
        self._pass_time()
        account = self._account
        self._quiet_ns = account.now_ns + QUIET_NS
        answer: Any
        if len(self._waiting) >= CALLS_WAITING_MAX:
            self.send(sender, CallRefused("order", f"at most {CALLS_WAITING_MAX} calls at once wanted, found one more"))
            return
        if call.verb not in VERBS and call.verb not in VIEWS:
            raise ExchangeError(f"a verb of an account wanted, found {call.verb[:40]!a}")
        try:
            value = getattr(account, call.verb)(*call.arguments)
        except Refused as refused:
            unlisted = refused.instrument if isinstance(refused, Unlisted) else None
            answer = CallRefused(refused.kind, refused.text, unlisted)
        else:
            answer = Answered(value)
            if call.verb in VERBS:
                self._keep(value.changes)
        self._answer(sender, answer)

    def on_drained(self) -> None:
        """Append what the calls of a burst have changed: all of it costs one commit."""
        if self._account is not None:
            self._write_due()
            self._arm()

    @handles(AddListings, from_outside=True)
    def add_listings(self, message: AddListings, sender: ActorAddress) -> None:
        """List more instruments."""
        if self._account is None:
            self.stash(message, sender)
            return
        for definition in message.definitions:
            is_new = self._listings.of_symbol(definition.symbol) is None
            self._keep(self._account.list_instruments(definition).changes)
            tick = self._ticks.get(definition.symbol)
            if is_new and tick is not None:
                self._keep(self._account.move(tick))  # it came before the listing

    @handles(Due)
    def let_time_pass(self, _message: Due, _sender: ActorAddress) -> None:
        """Do what is due."""
        if self._account is not None:
            self._pass_time()
            self._write_due()

    def statistics(self) -> ExchangeStatistics:
        """Return the counts of the account; zeros before it is served."""
        if self._account is None:
            return ExchangeStatistics(ticks=0, orders=0, trades=0, resting_orders=0)
        return self._account.statistics()

    # The journal.

    @handles(Appended)
    def confirm(self, answer: Appended, _sender: ActorAddress) -> None:
        """Answer whoever waited for these facts, and write the next."""
        if self._account is None:
            return  # of an instance before this one: the pages that are read after it have it
        if (answer.writer, answer.number) != (self._writer, self._appends):
            wanted = f"append {self._appends} of {self._writer}"
            raise JournalBehindError(f"the answer to {wanted} wanted, found {answer.number} of {answer.writer}")
        self._durable += self._writing
        self._writing = 0
        self._pass_time()  # what has become due meanwhile shares the next commit
        if self._waiting:  # who is answered now may call in a moment
            self._quiet_ns = self._served.now_ns + QUIET_NS
        self._write_due()
        while self._waiting and self._waiting[0][0] <= self._durable:
            _, sender, waiting = self._waiting.popleft()
            self.send(sender, waiting)

    @handles(AppendRefused)
    def give_up(self, answer: AppendRefused, _sender: ActorAddress) -> None:
        """Tell whoever waits that nothing has happened; read the account again, which is ahead of the journal."""
        if answer.writer != self._writer:
            return  # of an instance before this one
        self.log("exchange.not_durable", level="error", reason=answer.reason, facts=self._writing + len(self._facts))
        while self._waiting:
            _, sender, _ = self._waiting.popleft()
            self.send(sender, CallRefused("unavailable", f"not durable: {answer.reason}"))
        if self._timer is not None:
            self._timer.cancel()
        self._begin()
        self.after(RETRY_S, Open())

    @property
    def _served(self) -> Account:
        assert self._account is not None, "calls come only after the start"
        return self._account

    def _pass_time(self) -> None:
        self._keep(self._served.pass_time(self.clock.now_ns()))

    def _keep(self, changes: tuple[ExchangeFact, ...]) -> None:
        self._facts += changes
        self._made += len(changes)

    def _write_due(self) -> None:
        """Append what has happened, unless nobody waits for it and another call may come in a moment."""
        is_awaited = self._waiting and self._waiting[-1][0] > self._durable
        if is_awaited or self._served.now_ns >= self._quiet_ns:
            self._write()

    def _write(self) -> None:
        """Append what has happened, if nothing is being written."""
        if self._facts and not self._writing:
            now, self._facts = self._facts[:FACTS_AT_ONCE_MAX], self._facts[FACTS_AT_ONCE_MAX:]
            self._writing = len(now)
            self._appends += 1
            name = f"exchange-{self._pages.sequence}-{self._appends}"
            append = Append(facts=tuple(now), correlation_id=name, writer=self._writer, number=self._appends)
            self.send(JOURNAL, append)

    def _answer(self, sender: ActorAddress, answer: Any) -> None:
        if self._made == self._durable:
            self.send(sender, answer)
        else:
            self._waiting.append((self._made, sender, answer))

    def _arm(self) -> None:
        """Set the one timer, for what is due next; none while facts are written: their confirmation lets time pass."""
        if self._writing:
            return
        next_ns = self._served.next_ns
        if self._facts:
            next_ns = min(next_ns, self._quiet_ns)
        if self._timer is None or not self._timer.waiting or next_ns < self._armed_ns:
            if self._timer is not None:
                self._timer.cancel()
            self._armed_ns = next_ns
            self._timer = self.after(max(0.0, (next_ns - self.clock.now_ns()) / SECOND_NS), Due())
