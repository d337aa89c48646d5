"""How integration events reach other systems, and theirs this one."""

from .bridge import RedisBridge
from .settings import BridgeSettings

__all__ = ["BridgeSettings", "RedisBridge"]
