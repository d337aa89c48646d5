"""The path of an order, step by step, and killing the whole process in one of them.

A step is a message and whose turn with it: `orders SubmitOrder`. Whatever an actor on the path handles is a step of it,
or stands beside it and says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from ..actors.journal import PowerCutError
from ..actors.runtime.simulation import Injector, SimulatedSystemBase

if TYPE_CHECKING:
    from random import Random

_EVERYWHERE: Final = (
    "orders SubmitOrder",
    "orders ModifyOrder",
    "orders CancelOrder",
    "orders SquaringOffEnded",
    "orders HaltTrading",
    "orders Resume",
    "orders Appended",
    "orders AppendRefused",
    "orders OrderPlaced",
    "orders OrderNotPlaced",
    "orders OrderInDoubt",
    "orders OrderReplaced",
    "orders OrderNotReplaced",
    "orders ReplaceInDoubt",
    "orders ExecutionReport",
    "orders OrderFound",
    "orders OrderNotFound",
    "orders LookupFailed",
    "orders LookUpDue",
    "orders ReconcileDue",
    "orders CancelDue",
    "orders ReadHoldings",
    "orders SaveState",
    "orders ReadState",
    "orders OutcomeArrived",
    "orders Failed",
    "journal Append",
    "journal ReadJournal",
    "journal ReadCheckpoint",
    "journal KeepCheckpoint",
    "broker PlaceOrder",
    "broker ReplaceOrder",
    "broker WithdrawOrder",
    "broker FindOrder",
    "broker Failed",
    "kill-switch EngageKillSwitch",
    "kill-switch ReleaseKillSwitch",
)

PAPER_PATH: Final = (
    *_EVERYWHERE,
    "broker ExecutionReport",
    "broker OrderFound",
    "broker OrderNotFound",
    "exchange NewOrder",
    "exchange ReplaceRequest",
    "exchange CancelRequest",
    "exchange OrderStatusRequest",
)
"""Where the broker is the paper exchange, asked by message."""

DHAN_PATH: Final = (
    *_EVERYWHERE,
    "broker Due",
    "broker OutcomeArrived",
    "broker OrderUpdated",
    "broker UpdatesConnected",
    "broker UpdatesLost",
    "broker-service Ask",
    "broker-service OutcomeArrived",
    "broker-updates ConnectDue",
    "broker-updates Heard",
)
"""Where it is asked over HTTP, and pushes updates."""

BESIDE: Final = {
    "orders ChangeLimits": "a person's word about what passes: as `orders Resume`",
    "orders SettleOrder": "a person's word on an order in doubt, which every world resolves",
    "orders SettlePosition": "a person's word on what went unseen on a day before, which no world has",
    "orders OperationAsked": "a sign of life of a person, which nobody gives here",
    "orders ReportPresence": "as `orders OperationAsked`",
    "orders CancelOrders": "a person's many `CancelOrder`",
    "orders StatesDue": "only where the journal refused a state: `journal Append` is cut there, too",
    "orders StopDue": "only in a stop without answers: as `orders OrderInDoubt`, looked up by the next start",
    "orders ChangeDue": "only where the journal refused a halt: `journal Append` is cut there, too",
    "orders ReadDue": "only where the journal is down: it reads back again",
    "orders ReadOrders": "a question",
    "orders ReadPositions": "a question",
    "orders ReadRisk": "a question",
    "orders FundsTold": "a limit of money, which these worlds have not",
    "orders ClockCompared": "a clock that is off, which no world has",
    "orders OrdersLeft": "a count of what has left, which a simulated market has not",
    "orders FreezeQuantitiesTold": "as `orders FundsTold`",
    "orders BandsTold": "as `orders FundsTold`",
    "orders PositionsDiffer": "a comparison that no path waits for",
    "orders ReduceOnly": "of the keeper of the token, which is played by the world",
    "orders ReportRefused": "of a broker whose report is none",
    "orders Tick": "a price",
    "orders Unavailable": "as `orders Failed`",
    "orders BracketDue": "asks once more for what a bracket needs, as each start does",
    "orders ExpiryDue": "contracts that expire, which nobody holds in these worlds",
    "orders DayDue": "exits of what is held over night, which these worlds have not",
    "orders SquaringOffDue": "what a strategy squares off for too long, which none does in these worlds",
    "orders WatchDue": "limits of the day, which these worlds have not",
    "journal LookDue": "room on the disk",
    "journal ProveDurable": "a heartbeat",
    "journal TidyAgain": "closed segments",
    "broker FindingOverdue": "the body answers before, or the process is another",
    "broker LeftDue": "as `orders OrdersLeft`",
    "broker OrdersSentBefore": "counts of the day, which a simulated market has not",
    "broker PlacingOverdue": "as `broker FindingOverdue`",
    "broker ReplacingOverdue": "as `broker FindingOverdue`",
    "broker ReadAccountBook": "a question",
    "broker SetLossExit": "a net at the broker, which no order waits for",
    "broker StopTrading": "the end of the account's day, when no order is open any more",
    "broker Unavailable": "as `broker Failed`",
    "broker-service CountBefore": "counts of the day",
    "broker-service Look": "its own limits",
    "broker-service Orphaned": "an asker that was restarted: what it asked ends by itself",
    "exchange DayOver": "these worlds end before the day",
    "exchange LetIn": "latency of orders, which these worlds have not",
    "exchange Open": "its start",
    "exchange Tick": "a price",
    "kill-switch FlatteningBegun": "an answer that it does nothing with",
    "kill-switch LookDue": "nobody makes the file by hand here",
    "kill-switch ReadKillSwitch": "a question",
    "kill-switch StopDue": "as `broker StopTrading`",
}
"""What the same actors handle and no order goes through, and why."""

NTHS: Final = (1, 1, 1, 2, 3)
POINTS: Final = (0, -1, 1, 2)
"""Before the handler, after it, at its first or second send: see `Injector.crash_point`."""


class KillingInjector(Injector):
    """Kills the process in a chosen step, besides all faults."""

    killed_in: str = ""
    """The step in which it has; empty: in none."""

    _step: str = ""
    _point: int = 0
    _left: int = 0

    def kill_in(self, step: str, chance: Random) -> None:
        """Do so at one of its next times."""
        self._step, self._left, self._point = step, chance.choice(NTHS), chance.choice(POINTS)

    def crash_point(self, actor: str, message_type: type) -> int | None:
        """Say where the handler of this message ends; in the chosen step the process does."""
        if self._left and self._step == f"{actor} {message_type.__name__}":
            self._left -= 1
            if not self._left:
                self.killed_in = self._step
                return self._point
        return super().crash_point(actor, message_type)

    def crash(self, where: str) -> Exception:
        """Return what the handler raises there."""
        return PowerCutError(where) if self.killed_in else super().crash(where)


class KillableSystemBase(SimulatedSystemBase):
    """A simulation whose process can be killed in a step."""

    injector_class: ClassVar[type[Injector]] = KillingInjector
    injector: KillingInjector
