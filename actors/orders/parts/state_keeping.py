"""The states that strategies keep here (plain): each is durable before any order that comes behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ....domain.wording import printable
from ....messages.addresses import JOURNAL
from ....messages.strategy_state import StateRefused
from ..book.states import correlation_of
from ..reconciling.rounds import Rounds
from .due import StatesDue
from .senders import only_strategy

if TYPE_CHECKING:
    from ....messages.holdings import ReadHoldings
    from ....messages.orders import SubmitOrder
    from ....messages.strategy_state import ReadState, SaveState
    from ...runtime import ActorAddress
    from .context import OrdersContext

OUTDATED_MAX: Final = 10
"""Lives of one strategy whose states are known to be out of date."""

Unkept: TypeAlias = "list[tuple[SaveState, ActorAddress | None]]"
Handover: TypeAlias = tuple[Unkept, dict[str, "tuple[ActorAddress, ...]"], dict[str, int], set[str]]
"""States that are not durable, and who sent them if that still matters; senders whose states are out of date, and the
life that may save, both by strategy; the strategies that keep a state."""


class StateKeeping:
    """Takes states, writes them until they are durable, and tells the newest."""

    def __init__(self, context: OrdersContext) -> None:
        """Begin with none that waits."""
        self._context: Final = context
        self._askers: dict[tuple[str, bool], tuple[ReadState, ActorAddress]] = {}
        self._before: Unkept = []
        """Those that came before the journal was read back."""

        self._outdated: dict[str, tuple[ActorAddress, ...]] = {}
        self._lives: dict[str, int] = {}
        self._keepers: set[str] = set()
        self._next_write = Rounds(lambda after_s: context.after(after_s, StatesDue()))

    def handover(self) -> Handover:
        """Return what is not in the journal."""
        owed = [(each, None) for each in self._context.ledger.states.owed.values()]
        return [*owed, *self._before], self._outdated, self._lives, self._keepers

    def restore(self, state: Handover) -> None:
        """Take it over; what is owed is written when the journal has been read back."""
        self._before, self._outdated, self._lives, self._keepers = state

    def save(self, request: SaveState, sender: ActorAddress) -> None:
        """Keep the state of a strategy."""
        if not self._is_of_sender(request.strategy, sender):
            return
        if self._context.is_read:
            self._keep(request, sender)
        else:
            self._before.append((request, sender))

    def tell(self, request: ReadState, sender: ActorAddress) -> None:
        """Answer what a strategy saved last, once the journal is read back; of repeated requests the last."""
        strategy = request.strategy
        if not self._is_of_sender(strategy, sender):
            return
        context = self._context
        if context.is_read:
            life = self._lives.get(strategy, 0)
            if not request.only_looks:
                life = self._lives[strategy] = life + 1
            context.send(sender, context.ledger.state(strategy, sequence=context.read_back.newest_sequence, life=life))
        else:
            self._askers[strategy, request.only_looks] = request, sender

    def catch_up(self) -> None:
        """Keep and tell what waited until the journal was read back."""
        before, self._before = self._before, []
        for state, saver in before:
            self._keep(state, saver)
        askers, self._askers = self._askers, {}
        for request, sender in askers.values():
            self.tell(request, sender)

    def write_owed(self, strategy: str) -> None:
        """Write a state that the journal has refused once more, before something that may rely on it."""
        ledger = self._context.ledger
        owed = ledger.states.owed.get(strategy)
        if owed is not None and not ledger.is_waiting(correlation_of(strategy)):
            self._write(owed)

    def not_written(self) -> None:
        """Append soon again what the journal refused: the strategy may not save another state for long."""
        self._next_write.keep(is_needed=True, after_s=self._context.settings.lookup_interval_s)

    def write_all_owed(self) -> None:
        """Write each state once more that the journal has refused."""
        self._next_write.fired()
        for strategy in tuple(self._context.ledger.states.owed):
            self.write_owed(strategy)

    def is_outdated(self, strategy: str, sender: ActorAddress | None) -> bool:
        """Tell whether the sender is a life of a strategy whose state is out of date, so that it must not order."""
        return any(each is sender for each in self._outdated.get(strategy, ()))

    def begins(self, request: ReadHoldings, sender: ActorAddress) -> None:
        """Note whether a strategy that begins keeps a state."""
        if only_strategy(sender) != request.strategy:
            return
        if request.keeps_state:
            self._keepers.add(request.strategy)
        else:
            self._keepers.discard(request.strategy)

    def is_unnamed(self, order: SubmitOrder, sender: ActorAddress) -> bool:
        """Tell whether an order comes from a strategy that keeps a state, and the newest state does not name the order.

        The state that names it was lost on its way. Were the order placed, and the process killed before the state is
        saved again, the strategy would begin anew without knowing of it, and order the same again.
        """
        if order.strategy not in self._keepers or only_strategy(sender) != order.strategy:
            return False
        newest = self._context.ledger.states.newest(order.strategy)
        named = () if newest is None else newest.submitted
        return all(each.client_order_id != order.client_order_id for each in named)

    def _keep(self, request: SaveState, sender: ActorAddress | None) -> None:
        """Keep a state, unless another life of the strategy has read it since: that one's is the state then."""
        context, strategy = self._context, request.strategy
        others = self._outdated.get(strategy, ())
        if sender is None or request.life >= self._lives.get(strategy, 0):
            if self.is_outdated(strategy, sender):
                self._outdated[strategy] = tuple(each for each in others if each is not sender)
            if context.ledger.states.take(request):
                self._write(request)
        elif not self.is_outdated(strategy, sender):
            self._outdated[strategy] = (*others[-OUTDATED_MAX:], sender)
            context.log("state.out_of_date", level="warning", strategy=strategy, number=request.number)
            context.send(sender, StateRefused(strategy=strategy, number=request.number))

    def _write(self, request: SaveState) -> None:
        context = self._context
        if context.settings.keeps_states:
            context.send(JOURNAL, context.ledger.write_state(request, context.now_ns()))

    def _is_of_sender(self, strategy: str, sender: ActorAddress) -> bool:
        if (only := only_strategy(sender)) in {"", strategy}:
            return True
        self._context.log("state.of_another", level="error", strategy=printable(strategy), sender=only)
        return False
