"""Deterministic simulation: the same actors in one thread, on a virtual clock, in an order chosen by a seed.

base        the system base; loop: its only thread, run step by step; clock: virtual time
cell        turns of random size, crashes in handlers; links: delivery that may lose, repeat or delay
faults      which faults are injected; injector: decides them, message by message
jobs        offloaded work, done inline; waiting: replies and probes that run the simulation while they wait
services    what a simulated cell may use of the system (protocol)
"""

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
