"""Deterministic simulation: the same actors in one thread, on a virtual clock, in an order that a seed chooses."""

from .base import SimulatedSystemBase
from .clock import VirtualClock
from .faults import Faults, ScriptedFault
from .injector import Injector, SimulatedCrashError
from .jobs import InlineExecutor

__all__ = [
    "Faults",
    "Injector",
    "InlineExecutor",
    "ScriptedFault",
    "SimulatedCrashError",
    "SimulatedSystemBase",
    "VirtualClock",
]
