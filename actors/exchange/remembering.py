"""Which facts of the journal are those of the account that is served (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast, get_args

from ...messages.exchange import AccountServed, ExchangeFact
from .account.state import State

if TYPE_CHECKING:
    from ...messages.accounts import AccountChoice
    from ...messages.journal import Fact

TYPES: Final = tuple(fact.__name__ for fact in get_args(ExchangeFact))
"""Names of the fact types of the exchange."""

_MEMBERS: Final = frozenset(get_args(ExchangeFact))


class RememberedAccount:
    """The state of one account, from all facts in sequence; of the others nothing is kept."""

    def __init__(self, choice: AccountChoice) -> None:
        """Choose the account, as the settings do."""
        self._choice: Final = choice
        self._written = 0
        self._newest = 0
        self.state = State()
        """What its facts have made of it so far."""

    def apply(self, fact: Fact) -> None:
        """Apply one fact."""
        if isinstance(fact, AccountServed):
            self._written = fact.account
            if fact.account > self._newest:
                self._newest = fact.account
                if self._choice != "session":
                    self.state = State()
        elif type(fact) in _MEMBERS and self._choice != "new" and self._written == self._wanted:
            self.state.apply(cast("ExchangeFact", fact))

    @property
    def account(self) -> int:
        """The account that is served."""
        return self._newest + 1 if self._choice == "new" else self._wanted

    @property
    def written(self) -> int:
        """The account whose facts would come next."""
        return self._written

    @property
    def _wanted(self) -> int:
        return 0 if self._choice == "session" else self._newest
