"""Which account a run trades on (pure)."""

from __future__ import annotations

from typing import Final, Self, TypeAlias

from ..messages.accounts import AccountChoice, AccountEntered, AccountFact, RecordingPlayed

SESSION: Final = 0
"""The account that all sessions on a live or synthetic market share."""


class AccountUnfinishedError(Exception):
    """The newest account stopped in the middle of a recording and cannot go on. Replay in an account of its own.

    The state of its strategies is not stored, so the rest would trade otherwise than an uninterrupted replay; and the
    whole recording once more would trade its first part twice.
    """

    restart_helps = False
    """Tells the supervisor to give up at once: the cause does not pass by itself."""


KeptAccounts: TypeAlias = tuple[int, int, tuple[int, ...]]
"""The account entered last, the one opened last, and those in which a recording plays."""


class Accounts:
    """The accounts of a data directory, from its facts."""

    def __init__(self) -> None:
        self.current = SESSION
        """Number of the account that was entered last."""

        self.newest = SESSION
        """The highest number: the account that was opened last."""

        self._in_play: set[int] = set()

    def kept(self) -> KeptAccounts:
        """Return the accounts as they are kept in a file."""
        return self.current, self.newest, tuple(sorted(self._in_play))

    @classmethod
    def from_kept(cls, kept: KeptAccounts) -> Self:
        """Return what was kept."""
        accounts = cls()
        accounts.current, accounts.newest, in_play = kept
        accounts._in_play = set(in_play)
        return accounts

    def apply(self, fact: AccountFact) -> None:
        """Take in one fact."""
        if isinstance(fact, RecordingPlayed):
            self._in_play.discard(self.current)
            return
        self.current = fact.account
        self.newest = max(self.newest, fact.account)
        if fact.choice != "session":
            self._in_play.add(fact.account)

    def choose(self, choice: AccountChoice, now_ns: int) -> AccountEntered | None:
        """Return the fact to journal at the start of a run; None if it goes on in the current account.

        Args:
            choice: from the settings.
            now_ns: nanoseconds since 1970-01-01 UTC.

        Raises:
            AccountUnfinishedError: the newest is asked for, and a recording was not played to its end in it.
        """
        account = {"session": SESSION, "new": self.newest + 1, "newest": self.newest}[choice]
        if choice == "newest" and account in self._in_play:
            raise AccountUnfinishedError(
                f"a recording played to its end is wanted in account {account}, found one that was stopped before: "
                "what its strategies knew is kept nowhere. Play it again without --continue, in an account of its own"
            )
        if choice == "session" and self.current == account:
            return None
        return AccountEntered(account=account, choice=choice, occurred_ns=now_ns)
