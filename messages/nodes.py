"""Messages between the machines of one system: a broker node, and nodes that run strategies for it."""

from typing import Annotated, Final, TypeAlias

import msgspec

from .addresses import DATABASE, HISTORY, JOURNAL, ORDERS
from .units import Count, Nanoseconds, SomeCount

LETTERS_MAX: Final = 1_024
"""Letters of one frame."""

ASKED_ELSEWHERE: Final = (ORDERS, JOURNAL, DATABASE, HISTORY)
"""Actors of the broker node that a strategy of another node may speak to."""

Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=500)]


class NodeFrame(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="NodeFrame"):
    """From one life of a node to one of another: letters of a link, in order, and how far the other way has come."""

    sender: Name
    """The life of the node that sends it; no other ever has that name."""

    link: SomeCount
    """Of the links between both, from 1: with a greater one all earlier have ended."""

    first: Count = 0
    """Number of the first letter; 0: there are none."""

    confirms: Count = 0
    """Number of the last letter of the other way that has come, with all before it."""

    letters: Annotated[tuple[bytes, ...], msgspec.Meta(max_length=LETTERS_MAX)] = ()
    """Messages of this file, as the codec writes them."""

    is_over: bool = False
    """Its sender knows nothing of this link: another one is to begin."""


class ClaimStrategy(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ClaimStrategy"):
    """From a node that holds the lease of a strategy, to the broker node: it is to begin here.

    Answered by `ClaimAccepted`, when that is durable, or `ClaimRefused`. What was said under an earlier claim is over.
    """

    strategy: str
    fence: SomeCount
    """Of the lease."""


class ClaimAccepted(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ClaimAccepted"):
    """Answer to `ClaimStrategy`: the strategy may begin; all facts of its orders from now on are told to it."""

    strategy: str
    fence: SomeCount

    kind: str = ""
    """`module:Class` that was swapped in, and is to begin; empty: that of the settings."""


class ClaimRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ClaimRefused"):
    """Answer to `ClaimStrategy`, or the end of what was accepted: nothing that this claim says is heard (any more)."""

    strategy: str
    fence: SomeCount
    above: Count
    """Whoever claims again has to have a fence greater than this; 0: the same one may do."""

    reason: str


class NothingSaid(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="NothingSaid"):
    """From a node: the first letter of a link; also in place of a letter that is no longer valid."""


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Said"):
    """From a strategy on its node, to an actor of the broker node: said there in the strategy's name.

    To `strategies` it is from the node itself: `StrategyChanged` or `StrategyNotChanged`, what has come of a swap, or
    that it could not begin.
    """

    strategy: str
    fence: SomeCount
    actor: str
    """Name of the actor."""

    message: bytes
    """As the codec writes it."""

    number: Count = 0
    """Of the question, which is answered by `Told` with this number; 0: none waits for this answer."""


class Told(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Told"):
    """From the broker node, to a strategy on its node: a fact of its orders, or an answer.

    `SwapStrategy` and `ReloadStrategy` are for the node itself.
    """

    strategy: str
    fence: SomeCount
    message: bytes
    """As the codec writes it."""

    number: Count = 0
    """Of the question that it answers; 0: it is for the strategy itself."""


class DeputyBegan(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DeputyBegan"):
    """From the deputy of a strategy to the keeper of the nodes: it has begun (anew), or ends, and knows of no claim."""

    strategy: str


class StrategyAdmitted(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StrategyAdmitted"):
    """Fact: from now on only this holder speaks for a strategy; whatever comes with an older fence is refused."""

    strategy: str
    fence: SomeCount
    holder: Name
    """The life of the node that has it."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


NodeFact: TypeAlias = StrategyAdmitted


class NodesStatistics(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="NodesStatistics"):
    """What a node counts of the others since it started."""

    node: str
    """The life of this node, as others know it."""

    is_connected: bool
    links: Count
    """Nodes that something came from lately."""

    strategies: dict[str, str]
    """On the broker node, which node each strategy runs on, empty where on none; on another, how each stands here."""

    sent: Count = 0
    """Letters to other nodes, each once."""

    repeats: Count = 0
    """Letters that were sent once more, as they were not confirmed."""

    received: Count = 0
    """Letters of others, each once."""

    refused: Count = 0
    """What was said under a claim that is over, and was not heard."""

    ticks: Count = 0
    """Ticks that were sent, or came."""

    ticks_lost: Count = 0
    """Ticks that were left out for newer ones, or never came."""

    reason: str = ""
    """Why it is not connected."""
