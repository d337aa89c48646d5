"""Settings of a node: where the others are met, and which strategies are concerned."""

from __future__ import annotations

import secrets
import socket

import msgspec

from ...config.sections.nodes import NodesSettings
from ...config.sections.redis import RedisSettings
from ...config.sections.strategy import StrategySettings


class PlaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The sections `[redis]` and `[nodes]`, the strategies of other machines, and how patient a node is."""

    server: RedisSettings
    limits: NodesSettings

    strategies: tuple[StrategySettings, ...] = ()
    """Those whose host is `node`."""

    again_s: float = 0.5
    """Seconds after which a letter that was not confirmed is sent again."""

    retry_s: float = 0.2
    """Seconds until a server that was not reached is tried again, and a journal that did not answer."""

    waiting_max: int = 10_000
    """Letters to one node that may wait to be confirmed; what comes then is refused."""

    def new_life(self) -> str:
        """Return a name for one life of this node, which no other has."""
        return f"{self.limits.name or socket.gethostname()}-{secrets.token_hex(6)}"
