"""Describes an actor and its settings to another process, and imports them there."""

from __future__ import annotations

import importlib
import itertools
from typing import Any

import msgspec

from ....messages.codec import MESSAGE_SIZE_MAX_BYTES
from ..actor import RuntimeActor
from ..trace import EVERY
from .build import build_id
from .errors import NotHostableError, WorkerRefusedError
from .wire import Assignment

_first_ids = itertools.count(1 << 32, 1 << 32)
"""Ids of one process: for two million processes of four thousand million hops each, all ids are exact in a float."""


def assign(  # noqa: PLR0913  each is a field of the assignment
    name: str,
    actor: type[RuntimeActor],
    settings: Any,
    *,
    seed: int | None = None,
    life: int = 0,
    trace_every: int = EVERY,
    memory_limit_mb: int = 0,
    market_ns: int | None = None,
    background: tuple[str, ...] = (),
) -> Assignment:
    """Return the message that tells a worker which actor to run.

    Raises:
        NotHostableError: the class cannot be imported by another process, or the settings have no wire form.
    """
    for described in (actor, type(settings)):
        if described.__module__ == "__main__" or "<locals>" in described.__qualname__:
            raise NotHostableError(f"a class that another process can import is wanted, found {_path(described)}")
    if settings is not None and not isinstance(settings, msgspec.Struct):
        raise NotHostableError(f"settings of a worker process are a msgspec Struct, found {type(settings).__name__}")
    try:
        written = b"" if settings is None else msgspec.msgpack.encode(settings)
    except (TypeError, ValueError, OverflowError) as fault:
        raise NotHostableError(f"settings of {name!r} cannot travel to a worker process: {fault}") from fault
    if len(written) > MESSAGE_SIZE_MAX_BYTES:
        raise NotHostableError(f"settings of {name!r} have up to {MESSAGE_SIZE_MAX_BYTES} bytes, found {len(written)}")
    return Assignment(
        build_id=build_id(),
        name=name,
        actor=_path(actor),
        settings_type="" if settings is None else _path(type(settings)),
        settings=written,
        seed=seed,
        life=life,
        trace_every=trace_every,
        first_id=next(_first_ids),
        memory_limit_mb=memory_limit_mb,
        market_ns=market_ns,
        background=background,
    )


def accept(assignment: Assignment) -> tuple[type[RuntimeActor], Any]:
    """Return the actor's class and its settings, in the worker.

    Raises:
        WorkerRefusedError: this process would run other code than its parent, or cannot import the actor.
    """
    if assignment.build_id != build_id():
        ours, theirs = build_id()[:12], assignment.build_id[:12]
        raise WorkerRefusedError(f"a parent of build {ours} is wanted, found {theirs}: restart the system")
    actor = _find(assignment.actor)
    if not issubclass(actor, RuntimeActor):
        raise WorkerRefusedError(f"a RuntimeActor is wanted, found {assignment.actor}")
    if not assignment.settings_type:
        return actor, None
    try:
        return actor, msgspec.msgpack.decode(assignment.settings, type=_find(assignment.settings_type))
    except (msgspec.MsgspecError, TypeError) as fault:
        raise WorkerRefusedError(f"settings of {assignment.name!r} did not arrive: {fault}") from fault


def _path(found: type) -> str:
    return f"{found.__module__}:{found.__qualname__}"


def _find(path: str) -> type:
    module_name, _, qualified = path.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for part in qualified.split("."):
            found = getattr(found, part)
    except Exception as fault:  # a module may raise anything when it is imported
        raise WorkerRefusedError(f"{path} cannot be imported: {type(fault).__name__}: {fault}") from fault
    if not isinstance(found, type):
        raise WorkerRefusedError(f"a class is wanted, found {path}")
    return found
