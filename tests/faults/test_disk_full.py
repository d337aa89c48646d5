"""The disk fills up at any moment, under the journal alone and under the whole system, and empties again.

`make full-disk` runs both for longer: FULL_DISK and FULL_DISK_SEED are how often, and at which numbers of free bytes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WORK = Path(__file__).with_name("full_disk.py")
ROUNDS = int(os.environ.get("FULL_DISK", "2"))
SEED = int(os.environ.get("FULL_DISK_SEED", "1"))
NORMAL_WITHIN_S = 5.0 if "FULL_DISK" in os.environ else 30.0
"""So soon all is as before; beside other work it may take longer."""

NAMESPACES = (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"])
"""A small disk is mounted where nobody else sees it; a user who is not root becomes it in a namespace of their own."""


@pytest.fixture(scope="session")
def namespace():
    for command in NAMESPACES:
        if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
            return command
    pytest.fail(f"one of {NAMESPACES} is wanted for a small disk, and none is allowed here")


@pytest.fixture
def fill(namespace):
    def fill(what):
        command = [*namespace, sys.executable, str(WORK), what, str(ROUNDS), str(SEED)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                out, complaints = process.communicate()
            finally:
                process.kill()
        assert process.returncode == 0, f"seed {SEED}: {complaints}"
        print(f"seed {SEED}, {what}: {out.strip()}")  # noqa: T201
        return json.loads(out)

    return fill


@pytest.mark.timeout(60 + 10 * ROUNDS)
class TestAFullDisk:
    def test_under_the_journal_refuses_intents_takes_outcomes_and_is_over_when_space_returns(self, fill):
        told = fill("journal")

        assert told["rounds"] == ROUNDS
        assert told["whole"]
        assert told["recovered_s"] <= NORMAL_WITHIN_S

    def test_under_the_whole_house_lets_cancel_restarts_nobody_and_is_over_when_space_returns(self, fill):
        told = fill("house")

        assert told["rounds"] == ROUNDS
        assert told["restarts"] == 0
        assert told["recovered_s"] <= NORMAL_WITHIN_S
