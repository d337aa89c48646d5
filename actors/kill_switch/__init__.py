"""The kill switch, the heartbeat that a dead-man's switch listens to, and the broker's own exit at a loss of the day.

actor      the owner of the file `HALT`, which halts everything while it is there
flattener  closes positions by limit orders that follow the market
heart      the owner of the file `heartbeat`, which stands still where orders or the journal is stuck
loss_exit  has the broker close the account at a loss of the day that is beyond ours
"""

from .actor import KillSwitchActor
from .flattener import FlattenActor
from .heart import HeartActor, HeartSettings
from .loss_exit import LossExitActor, LossExitSettings
from .settings import KillSwitchActorSettings

__all__ = [
    "FlattenActor",
    "HeartActor",
    "HeartSettings",
    "KillSwitchActor",
    "KillSwitchActorSettings",
    "LossExitActor",
    "LossExitSettings",
]
