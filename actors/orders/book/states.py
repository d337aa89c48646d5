"""The states that strategies have kept: the durable ones, and the newest on their way (plain, without actors)."""

from __future__ import annotations

from typing import Final, Self, TypeAlias

from ....domain.accounts import SESSION
from ....messages.strategy_state import SaveState, StrategyStateSaved

STATE_OF: Final = "state of "
"""Begins the correlation id of a state; no client order id has a space."""

KeptStates: TypeAlias = tuple[tuple[int, tuple[SaveState, ...]], ...]
"""The durable states, by account."""


def correlation_of(strategy: str) -> str:
    """Return the correlation id of a strategy's states."""
    return f"{STATE_OF}{strategy}"


def saved(request: SaveState, now_ns: int) -> StrategyStateSaved:
    """Return the fact that a request becomes when it is durable."""
    return StrategyStateSaved(
        strategy=request.strategy,
        number=request.number,
        covers=request.covers,
        state=request.state,
        submitted=request.submitted,
        occurred_ns=now_ns,
    )


class States:
    """The newest state of each strategy in the current account.

    A state is owed until it or a newer one is durable; what is owed is handed over at a restart of the actor.
    """

    def __init__(self) -> None:
        self._of_accounts: dict[int, dict[str, SaveState]] = {}
        self._durable = self._of_accounts.setdefault(SESSION, {})
        self.owed: dict[str, SaveState] = {}
        """What is to become durable, by strategy."""

    def kept(self) -> KeptStates:
        """Return the durable ones, to be kept."""
        return tuple((account, tuple(states.values())) for account, states in self._of_accounts.items())

    @classmethod
    def from_kept(cls, kept: KeptStates, account: int) -> Self:
        """Return what was kept, in the account that is entered."""
        states = cls()
        states._of_accounts = {number: {each.strategy: each for each in found} for number, found in kept}
        states.enter(account)
        return states

    def enter(self, account: int) -> None:
        """Go on in this account."""
        self._durable = self._of_accounts.setdefault(account, {})

    def take(self, request: SaveState) -> bool:
        """Owe a state; False if a newer one is known."""
        known = self.newest(request.strategy)
        if known is not None and known.number >= request.number:
            return False
        self.owed[request.strategy] = request
        return True

    def apply(self, fact: StrategyStateSaved) -> None:
        """Note one that is durable."""
        durable = self._durable.get(fact.strategy)
        if durable is None or durable.number < fact.number:
            self._durable[fact.strategy] = SaveState(
                strategy=fact.strategy,
                number=fact.number,
                covers=fact.covers,
                state=fact.state,
                submitted=fact.submitted,
            )
        self.settle(fact.strategy, fact.number)

    def settle(self, strategy: str, number: int) -> None:
        """Owe those up to this number no longer."""
        owed = self.owed.get(strategy)
        if owed is not None and owed.number <= number:
            del self.owed[strategy]

    def newest(self, strategy: str) -> SaveState | None:
        """Return the newest one; None if there is none."""
        return self.owed.get(strategy) or self._durable.get(strategy)
