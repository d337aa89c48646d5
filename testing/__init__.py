"""Tests of strategies and actors in virtual time, in an order that a seed decides, under faults.

simulating  `simulate`: strategies in a simulation, and what came of it
builders    ticks, candles and books that show only what a test is about
fixtures    seeds for tests of pytest
world       the whole system in a simulation, from its first start to its orderly stop, power cuts included
order_path  the steps of an order's path, in each of which the process is killed; person: who halts and resumes
scenario    what a seed makes of it: what goes wrong, and when
invariants  what holds after every simulation
database    the real database, worked inline; market: what is played
"""

from __future__ import annotations

from ..actors.runtime.simulation import Faults, ScriptedFault, SimulatedSystemBase, VirtualClock
from .builders import book, candles, ticks
from .simulating import NO_FAULTS, Invariant, InvariantViolatedError, Simulated, simulate

__all__ = [
    "NO_FAULTS",
    "Faults",
    "Invariant",
    "InvariantViolatedError",
    "ScriptedFault",
    "Simulated",
    "SimulatedSystemBase",
    "VirtualClock",
    "book",
    "candles",
    "simulate",
    "ticks",
]
