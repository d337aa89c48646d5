"""The disk fills up at any moment, under the journal alone and under the whole system, and empties again.

`make full-disk` runs both for longer: FULL_DISK and FULL_DISK_SEED are how often, and at which numbers of free bytes.
"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from natya_small_disks import Ballast
from natya_starts import WITH_HELPERS, run_forked

WORK = Path(__file__).with_name("full_disk.py")
ROUNDS = int(os.environ.get("FULL_DISK", "2"))
SEED = int(os.environ.get("FULL_DISK_SEED", "1"))
NORMAL_WITHIN_S = 5.0 if "FULL_DISK" in os.environ else 30.0
"""So soon all is as before; beside other work it may take longer."""


@pytest.fixture
def fill(tmp_path):
    def fill(what):
        done = run_forked(
            WORK, what, ROUNDS, SEED, timeout=None, env=os.environ | WITH_HELPERS | {"TMPDIR": str(tmp_path)}
        )
        assert done.returncode == 0, f"seed {SEED}: {done.stderr}"
        print(f"seed {SEED}, {what}: {done.stdout.strip()}")  # noqa: T201
        return json.loads(done.stdout)

    return fill


def test_the_ballast_takes_what_is_left_where_others_were_faster(tmp_path, monkeypatch):
    """The kernel takes nothing at all where less is free than it is asked for."""
    free, asked = iter([9, 9, 7, 2]), []

    def take(_descriptor, _offset, size):
        asked.append(size)
        if len(asked) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_bsize=4096, f_bavail=next(free)))
    monkeypatch.setattr(os, "posix_fallocate", take)
    Ballast(tmp_path).leave(4097)

    assert asked == [7 * 4096, 5 * 4096]


@pytest.mark.timeout(60 + 10 * ROUNDS)
class TestAFullDisk:
    def test_under_the_journal_refuses_intents_takes_outcomes_and_is_over_when_space_returns(self, fill):
        told = fill("journal")

        assert told["rounds"] == ROUNDS
        assert told["whole"]
        assert told["recovered_s"] <= NORMAL_WITHIN_S

    def test_under_the_whole_system_lets_cancel_restarts_nobody_and_is_over_when_space_returns(self, fill):
        told = fill("system")

        assert told["rounds"] == ROUNDS
        assert told["restarts"] == 0
        assert told["recovered_s"] <= NORMAL_WITHIN_S
