"""The kill switch, and the heartbeat that a dead-man's switch listens to.

actor   the owner of the file `HALT`, which halts everything while it is there
heart   the owner of the file `heartbeat`, which stands still where orders or the journal is stuck
"""

from .actor import KillSwitchActor
from .heart import HeartActor, HeartSettings

__all__ = ["HeartActor", "HeartSettings", "KillSwitchActor"]
