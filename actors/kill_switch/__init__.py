"""The kill switch, and the heartbeat that a dead-man's switch listens to.

actor      the owner of the file `HALT`, which halts everything while it is there
flattener  closes positions by limit orders that follow the market
heart      the owner of the file `heartbeat`, which stands still where orders or the journal is stuck
"""

from .actor import KillSwitchActor
from .flattener import FlattenActor
from .heart import HeartActor, HeartSettings
from .settings import KillSwitchActorSettings

__all__ = ["FlattenActor", "HeartActor", "HeartSettings", "KillSwitchActor", "KillSwitchActorSettings"]
