"""The kill switch: the owner of the file `HALT`, which halts everything while it is there."""

from .actor import KillSwitchActor

__all__ = ["KillSwitchActor"]
