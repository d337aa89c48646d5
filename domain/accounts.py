"""Which account a run trades on (pure)."""

from __future__ import annotations

from typing import Final

from ..messages.accounts import AccountChoice, AccountEntered, AccountFact, RecordingPlayed

SESSION: Final = 0
"""The account of markets that go on."""


class AccountUnfinishedError(Exception):
    """The account stopped in the middle of a recording, and cannot go on. Play the recording in an account of its own.

    What its strategies knew is kept nowhere, so the rest would not be what an uninterrupted play would have done; and
    the whole recording once more would trade its first part twice.
    """

    restart_helps = False


class Accounts:
    """The accounts of a data directory, by its facts."""

    def __init__(self) -> None:
        self.current = SESSION
        """The one that was entered last."""

        self.newest = SESSION
        """The one that was opened last."""

        self._in_play: set[int] = set()

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
        """Return what has to be entered for a run; None if it goes on where the last one was.

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
