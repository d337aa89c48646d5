"""The keeper of the access token: has it replaced ahead of its end, when it has died, and when a person has another.

Owns    the secrets by which a token is had, and the requests for one: one at a time; the file of the token that it has
        had last, which `natya deadman` and the next start read (`stored_secrets.py`).
Hears   LogIn, RenewToken, ShowToken, TakeSecrets.
Sends   TokenStatus to the sender; to orders ReduceOnly, when no new token was had in three attempts, and when there is
        one again.
Fails   not by what the service does, nor by a secret that cannot be read or written: the one in use stays. Restarted,
        it goes on with the attempts that it had made (hand-over): no restart brings more of them.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

import msgspec

from ...config.secret_folder import OBTAINED_TOKEN
from ...config.secrets import Secret
from ...domain.clock_skew import SKEW_MAX_S, judge_skew
from ...domain.dhan.tokens import ATTEMPTS_MAX, Attempts, TokenLife, life_of
from ...domain.time import SECOND_NS
from ...messages.addresses import ORDERS
from ...messages.health import TokenStatistics
from ...messages.risk_state import ReduceOnly
from ...messages.tokens import LogIn, RenewToken, ShowToken, TakeSecrets, TokenState, TokenStatus
from ..observability import redact_too
from ..runtime import RuntimeActor, handles
from .access_token import AccessToken, TokenDeadError, TokenSource
from .errors import TokenRefusedError
from .stored_secrets import (
    ACCESS_TOKEN,
    ALL,
    PIN,
    TOTP_SECRET,
    WATCHED,
    Found,
    keep_obtained,
    read_changed,
    versions_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...config.secret_folder import SecretFolder, Version
    from ..runtime import ActorAddress, Outcome, Timer

How: TypeAlias = Literal["mint", "renew"]

LOOK_EVERY_S: Final = 2.0
"""Seconds between two looks whether a secret was stored by other means than `natya secrets rotate`, which asks for
one."""

_LANE: Final = "stored"

NO_WAY: Final = "PIN and secret of one-time codes wanted (broker.pin, broker.totp_secret), found none"


class TokenKeeperSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the keeper needs."""

    token: AccessToken
    """The one in use, which all who send read."""

    new_source: Callable[[Callable[[], int]], TokenSource | None]
    """Makes the source, from what tells the time."""

    stored: SecretFolder | None = None
    """What `natya secrets` keeps, looked at every `LOOK_EVERY_S`, and tokens that are had; None: nothing is."""


class Obtained(msgspec.Struct, frozen=True):
    """The outcome of an attempt."""

    token: Secret | None
    reason: str = ""
    skew_s: float | None = None


class ReplaceDue(msgspec.Struct, frozen=True):
    """To itself: time for the next token; of an older life of the token it is of no effect."""

    life: TokenLife


class EndDue(msgspec.Struct, frozen=True):
    """To itself: the token has ended, if it is still this one."""

    life: TokenLife


class Died(msgspec.Struct, frozen=True, gc=False):
    """To itself: the broker has called the token dead."""


class LookDue(msgspec.Struct, frozen=True):
    """To itself: look whether a stored secret has changed."""


class TryDue(msgspec.Struct, frozen=True):
    """To itself: another attempt may be made."""

    how: How


class TokenKeeper(RuntimeActor):
    """Keeps one token alive."""

    system_time: ClassVar[bool] = True  # tokens know nothing of a simulated market

    settings: TokenKeeperSettings

    def on_start(self) -> None:
        """Look at the token that there is."""
        self._token = self.settings.token
        source = self.settings.new_source(self.clock.now_ns)
        assert source is not None  # only a body that speaks HTTP has a keeper
        self._source: TokenSource = source
        self._attempts: Attempts = self.inherited or Attempts()
        self._waiting: list[ActorAddress] = []
        self._busy = False
        self._next: Timer | None = None
        self._life: TokenLife | None = None
        self._reason = ""
        stored = self.settings.stored
        self._versions = {} if stored is None else versions_of(stored)
        """Of the stored secrets that are known: those of the start are in the settings, or the settings rank others
        higher."""

        arrive = self.entrance()
        self._token.when_dead(lambda: arrive(Died()))
        self.send(self.myAddress, Died()) if self._token.is_dead else self._take_up()
        if stored is not None:
            self.after_on_machine(LOOK_EVERY_S, LookDue())

    def snapshot(self) -> Attempts:
        """Hand over what was tried."""
        return self._attempts

    def restore(self, _: Attempts) -> None:
        """Do nothing: `on_start` counts on already, since it may make an attempt."""

    def on_stop(self) -> None:
        """Close the connections."""
        self._source.close()

    # From persons.

    @handles(ShowToken)
    def show(self, _: ShowToken, sender: ActorAddress) -> None:
        """Answer how the token stands."""
        self.send(sender, self._status())

    @handles(LogIn)
    def log_in(self, _: LogIn, sender: ActorAddress) -> None:
        """Try to log in, however often that was tried before."""
        self._ask_again("mint", sender)

    @handles(RenewToken)
    def renew(self, _: RenewToken, sender: ActorAddress) -> None:
        """Have the token in use renewed."""
        self._ask_again("renew", sender)

    @handles(TakeSecrets)
    def take_secrets(self, _: TakeSecrets, sender: ActorAddress) -> None:
        """Use what is stored now, even a token that was in use before: a person says so."""

        def answer(taken: tuple[str, ...], problem: str) -> None:
            status = self._status()
            self.send(sender, msgspec.structs.replace(status, taken=taken, reason=problem or status.reason))

        self._take_stored({}, answer)

    # From itself.

    @handles(Died)
    def replace_dead(self, _: Died, __: ActorAddress) -> None:
        """Get a new token: no call leaves until there is one. A stored one is tried first."""
        if not self._token.is_dead:
            return  # replaced meanwhile
        self._life = None
        self.log("token.died", level="error")

        def go_on(_taken: tuple[str, ...], _problem: str) -> None:
            if self._token.is_dead:  # a login would end the one that was found
                self._begin("mint")

        self._take_stored({}, go_on, only_new=True)

    @handles(LookDue)
    def look(self, _: LookDue, __: ActorAddress) -> None:
        """Take what was stored since the last look."""
        self._take_stored(self._versions, lambda _taken, _problem: self.after_on_machine(LOOK_EVERY_S, LookDue()))

    @handles(ReplaceDue)
    def replace_ahead(self, due: ReplaceDue, _: ActorAddress) -> None:
        """Get a new token while the present one is still valid."""
        if due.life is self._life:
            self._begin("mint" if self._source.can_mint else "renew")

    @handles(EndDue)
    def end(self, due: EndDue, _: ActorAddress) -> None:
        """Stop using the token at its end: the broker would reject it."""
        if due.life is self._life:
            self._token.end()

    @handles(TryDue)
    def try_again(self, due: TryDue, _: ActorAddress) -> None:
        """Make the attempt that had to wait."""
        self._next = None
        self._begin(due.how)

    # Helpers.

    def _take_stored(
        self,
        known: dict[str, Version | None],
        then: Callable[[tuple[str, ...], str], object],
        *,
        only_new: bool = False,
    ) -> None:
        """Use the stored secrets whose files are others than those known, then call `then(keys taken, problem)`.

        Args:
            known: versions of files that need not be read.
            then: called in a later turn, or at once where nothing is stored.
            only_new: the one in use is dead: leave those alone that were in use before, and look for the one that
                a life before has had, too.
        """
        if self.settings.stored is None:
            then((), "")
            return

        def read(outcome: Outcome) -> None:
            found: Found = outcome.unwrap()
            self._versions = found.versions
            if found.problem:
                self.log_bounded("token.secret_unfit", level="error", reason=found.problem)
            then(self._use(found.secrets, only_new=only_new), found.problem)

        keys = ALL if only_new else WATCHED
        self.offload(read_changed, self.settings.stored, known, keys, then=read, lane=_LANE)

    def _use(self, secrets: Mapping[str, Secret], *, only_new: bool) -> tuple[str, ...]:
        """Use secrets from now on, and return the keys of those that are others than before."""
        taken = list(self._source.use(pin=secrets.get(PIN), totp_secret=secrets.get(TOTP_SECRET)))
        for key in (OBTAINED_TOKEN, ACCESS_TOKEN):
            token = secrets.get(key)
            if token is not None and (self._may_replace(token) if only_new else not self._token.is_in_use(token)):
                taken.append(key)
                self._succeeded(token)
        if taken:
            self.log("token.secrets_taken", keys=taken)
            self._attempts = self._attempts.anew()
            if self._token.is_dead:
                self._begin("mint")
        return tuple(taken)

    def _may_replace(self, token: Secret) -> bool:
        """Say whether it may take the place of the one that died; what a login has brought meanwhile stays.

        Each request with one that has ended, too, brings the account nearer to being locked.
        """
        now_ns = self.clock.now_ns()
        life = life_of(token.reveal(), now_ns=now_ns)
        has_ended = life is not None and now_ns >= life.ends_ns
        return self._token.is_dead and not has_ended and not self._token.was_in_use(token)

    def _take_up(self) -> None:
        """Plan the end of the token in use."""
        try:
            token = self._token.reveal()
        except TokenDeadError:
            return  # `Died` comes
        now_ns = self.clock.now_ns()
        life = self._life = life_of(token, now_ns=now_ns)
        self.log("token.in_use", life=str(life))
        if life is None:
            return
        if life.is_over(now_ns):
            self._token.end()
            return
        self.after_on_machine(max(0, life.replace_ns - now_ns) / SECOND_NS, ReplaceDue(life))
        self.after_on_machine((life.expires_ns - now_ns) / SECOND_NS, EndDue(life))

    def _ask_again(self, how: How, sender: ActorAddress) -> None:
        if not self._source.can_mint and (how == "mint" or self._token.is_dead):  # no attempt would change that
            self._reason = NO_WAY
            self.send(sender, self._status())
            return
        if not self._busy:
            self._attempts = self._attempts.anew()
            if self._attempts.wait_ns(self.clock.monotonic_ns()) > 0:
                self._begin(how)
                self.send(sender, self._status())
                return
        self._waiting.append(sender)
        self._begin(how)

    def _begin(self, how: How) -> None:
        """Make an attempt, or plan it; one at a time."""
        if self._busy or self._next is not None:
            return
        if self._token.is_dead:
            how = "mint"  # only a token that is alive can be renewed
        if self._attempts.are_over:
            self._give_up()
            return
        wait_ns = self._attempts.wait_ns(self.clock.monotonic_ns())
        if wait_ns > 0:
            self._next = self.after_on_machine(wait_ns / SECOND_NS, TryDue(how))
            return
        self._busy = True
        self._attempts = self._attempts.after(self.clock.monotonic_ns())
        self.offload(obtain, self._source, how, self._token, then=functools.partial(self._tried, how))

    def _tried(self, how: How, outcome: Outcome) -> None:
        self._busy = False
        got: Any = outcome.value
        if outcome.error is not None:  # a text of it could quote a secret
            got = Obtained(None, type(outcome.error).__name__)
        if judge_skew(got.skew_s) in {"alarm", "too_far"}:
            self.log("token.clock_is_off", level="error", seconds=got.skew_s)
        self._reason = got.reason
        if got.token is None:
            self._failed(how)
        else:
            self._succeeded(got.token)
            self._keep(got.token)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            self.send(each, self._status())

    def _succeeded(self, token: Secret) -> None:
        redact_too(token)
        self._token.replace(token)
        if self._next is not None:  # an attempt that has to wait is not wanted any more
            self._next.cancel()
            self._next = None
        self._attempts = self._attempts.anew()
        self.trouble = ""
        self.send(ORDERS, ReduceOnly(reason=""))
        self._take_up()

    def _keep(self, token: Secret) -> None:
        """Have it where others find it who need the newest; what cannot be kept is used all the same."""
        if self.settings.stored is None:
            return

        def kept(outcome: Outcome) -> None:
            if problem := outcome.unwrap():
                self.log("token.not_kept", level="error", reason=problem)

        self.offload(keep_obtained, self.settings.stored, token, then=kept, lane=_LANE)

    def _failed(self, how: How) -> None:
        level = "error" if self._attempts.are_over else "warning"
        self.log("token.not_had", level=level, how=how, attempt=self._attempts.made, reason=self._reason)
        if self._reason == NO_WAY:  # to try again changes nothing
            self._attempts = msgspec.structs.replace(self._attempts, made=ATTEMPTS_MAX)
        self._begin(how)

    def _give_up(self) -> None:
        reason = f"no new access token in {self._attempts.made} attempts: {self._reason}"
        if reason == self.trouble:
            return
        self.trouble = reason
        self.log("token.given_up", level="error", reason=self._reason)
        self.send(ORDERS, ReduceOnly(reason=reason))

    def statistics(self) -> TokenStatistics:
        """Return how the token stands."""
        status = self._status()
        return TokenStatistics(alive=not self._token.is_dead, ends_ns=status.ends_ns, attempts=status.attempts)

    def _status(self) -> TokenStatus:
        state: TokenState = "dead" if self._token.is_dead else "alive"
        if self._attempts.are_over and not self._busy and self._token.is_dead:
            state = "given_up"
        elif self._busy or self._next is not None:
            state = "asking" if self._token.is_dead else "replacing"
        return TokenStatus(
            state=state,
            ends_ns=0 if self._life is None else self._life.ends_ns,
            attempts=self._attempts.made,
            wait_s=self._attempts.wait_ns(self.clock.monotonic_ns()) / SECOND_NS,
            can_log_in=self._source.can_mint,
            reason=self._reason,
        )


def obtain(source: TokenSource, how: How, token: AccessToken) -> Obtained:
    """Get a token; it blocks."""
    if how == "renew":
        try:
            old = Secret(token.reveal())
        except TokenDeadError as dead:
            return Obtained(None, f"a token that is alive wanted, to be renewed: {dead}")
        return _answer(functools.partial(source.renew, old))
    if not source.can_mint:
        return Obtained(None, NO_WAY)
    skew = source.clock_skew_s()
    if judge_skew(skew) == "too_far":
        reason = (
            f"a clock within {SKEW_MAX_S:g} s of the broker's wanted, found one {skew:+.1f} s off: no code was sent"
        )
        return Obtained(None, reason, skew)
    return msgspec.structs.replace(_answer(source.mint), skew_s=skew)


def _answer(ask: Callable[[], Secret]) -> Obtained:
    try:
        return Obtained(ask())
    except TokenRefusedError as refusal:
        return Obtained(None, str(refusal))
