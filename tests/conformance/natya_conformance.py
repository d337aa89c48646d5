"""A pytest plugin that runs the suite inside the installed thespian package, unmodified, on our system base.

    PYTHONPATH=tests/conformance python -m pytest -c /dev/null -p natya_conformance --pyargs thespian.test

Thespian's test modules import the fixture `asys` from `thespian.test`; the plugin puts another there first. What no
base in one process can pass stands in `deselected.txt`, each with its reason.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import thespian.test
from thespian.actors import ActorSystem

from natya.actors.runtime import InProcessSystemBase

DESELECTED = Path(__file__).with_name("deselected.txt")

OWN_THREADS = ("test_threadedExternal",)
"""Their actors sleep in their handlers by the hundred: such a class declares `blocking`, here the fixture does."""

LIKE_SIMPLE = (
    "test05_verifyUnloadOfHashedSourceDoesNotKillActiveActors",
    "test07_sourceAuthorityExceptions",
)
"""They expect by the base's name what every base shows whose actors share one interpreter."""


@pytest.fixture(params=["natyaInProcessBase"])
def asys(request):
    """Yield an `ActorSystem` on our base, as the suite wants it: with these capabilities and a name."""
    capabilities = {"Foo Allowed": True, "Cows Allowed": True, "Dogs Allowed": True, "dog": "food"}
    own_threads = request.module.__name__.rpartition(".")[2] in OWN_THREADS
    base = InProcessSystemBase(capabilities, own_threads=own_threads)
    system = ActorSystem(systemBase=base, transientUnique=True)
    system.base_name = "simpleSystemBase" if request.node.originalname in LIKE_SIMPLE else request.param
    system.port_num = None
    system.txonly = False
    yield system
    system.shutdown()


thespian.test.asys = asys


class ActorSystemBase(InProcessSystemBase):
    """A second system, which the suite asks for by module name and with the `ActorSystem` that it is for."""

    def __init__(self, system: ActorSystem, logDefs: object = None) -> None:  # noqa: N803  Thespian's signature
        super().__init__(system.capabilities)


sys.modules["thespian.system.natyaInProcessBase"] = sys.modules[__name__]


def reasons() -> list[tuple[re.Pattern[str], str]]:
    """Read the list: a pattern of test ids, two spaces, the reason."""
    lines = [line for line in DESELECTED.read_text().splitlines() if line and not line.startswith("#")]
    return [(re.compile(pattern), reason.strip()) for pattern, _, reason in (line.partition("  ") for line in lines)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the list names."""
    patterns = [pattern for pattern, _ in reasons()]
    out = [item for item in items if any(pattern.search(item.nodeid) for pattern in patterns)]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]
