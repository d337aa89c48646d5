"""Strategies of a system in this process, added and changed while it runs: part of `TradingSystem`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from .actors.strategy import StrategyChangeRefusedError, StrategyError, path_of
from .config.sections.strategy import StrategySettings
from .messages.addresses import STRATEGIES
from .messages.strategies import (
    ListStrategies,
    ReloadStrategy,
    StartStrategy,
    StopStrategy,
    StrategyChanged,
    SwapStrategy,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .actors.strategy import StrategyActor
    from .messages.strategies import StrategyShown

CHANGE_S: Final = 60.0
"""Seconds that a strategy may take to stop, and another to begin."""


class StrategyChanges:
    """What a program may do with the strategies of a system that runs."""

    def request(self, actor: str, message: msgspec.Struct, *, timeout_s: float, correlation_id: str = "") -> Any:
        """Send a message to an actor by name, and return its answer."""
        raise NotImplementedError

    def strategies(self) -> tuple[StrategyShown, ...]:
        """Return the strategies that run, and those that are stopped."""
        answer: tuple[StrategyShown, ...] = self.request(STRATEGIES, ListStrategies(), timeout_s=CHANGE_S).strategies
        return answer

    def add_strategy(
        self,
        strategy: str | type[StrategyActor],
        *,
        name: str = "",
        symbols: Sequence[str] = (),
        parameters: dict[str, Any] | None = None,
        **settings: Any,
    ) -> StrategyChanged:
        """Start another strategy; return when it has begun.

        Args:
            strategy: `module:Class`, a file with one strategy, `file.py:Class`, or a class at the top of a module.
            name: free among all actors; empty: that of its class, in lower case.
            symbols: whose market data it receives; empty: all. A live feed has those of its settings alone.
            parameters: plain data.
            **settings: others of `[[strategies]]`, such as `host="process"`.

        Raises:
            StrategyChangeRefusedError: it cannot be loaded or begin; it does not run.
        """
        path = _path_of(strategy)
        name = name or path.rpartition(":")[2].lower()
        wanted = {"symbols": tuple(symbols), "parameters": parameters or {}, **settings}
        encoded = msgspec.json.encode(StrategySettings(name=name, strategy=path, **wanted)).decode()
        return self._change(StartStrategy(name=name, settings=encoded))

    def start_strategy(self, name: str) -> StrategyChanged:
        """Start a strategy that was stopped; return when it has begun.

        Raises:
            StrategyChangeRefusedError: it is not stopped, or cannot begin.
        """
        return self._change(StartStrategy(name=name))

    def stop_strategy(self, name: str) -> StrategyChanged:
        """Stop a strategy; return when it has ended. What it holds stays, and its open orders by `cancel_on_stop`.

        Raises:
            StrategyChangeRefusedError: none of that name runs.
        """
        return self._change(StopStrategy(name=name))

    def swap_strategy(self, name: str, strategy: str | type[StrategyActor]) -> StrategyChanged:
        """Let another class go on under a name, with its state, position and open orders; return when it has begun.

        Raises:
            StrategyChangeRefusedError: it cannot be loaded, read the state, or begin; the one of before runs.
        """
        return self._change(SwapStrategy(name=name, strategy=_path_of(strategy)))

    def reload_strategy(self, name: str) -> StrategyChanged:
        """Read a strategy's file and the modules beside it anew, and swap; `modules` of the answer have changed.

        Raises:
            StrategyChangeRefusedError: they cannot be imported, or as for `swap_strategy`; the one of before runs.
        """
        return self._change(ReloadStrategy(name=name))

    def _change(self, request: StartStrategy | StopStrategy | SwapStrategy | ReloadStrategy) -> StrategyChanged:
        answer = self.request(STRATEGIES, request, timeout_s=CHANGE_S)
        if isinstance(answer, StrategyChanged):
            return answer
        raise StrategyChangeRefusedError(f"{request.name}: {getattr(answer, 'reason', answer)}")


def _path_of(strategy: str | type[StrategyActor]) -> str:
    try:
        return path_of(strategy)
    except StrategyError as fault:
        raise StrategyChangeRefusedError(str(fault)) from fault
