"""The same storms at full length, and what they cost the others; `make faults`, on a machine that does little else."""

import os
import subprocess
import sys
import time

import pytest

from natya.actors.runtime import lifecycle
from natya.actors.runtime.base import FAILURES_LOGGED_A_SECOND_MAX
from natya.actors.runtime.cell import SUSPENDED_MAX
from natya.messages.system import Ping

pytestmark = pytest.mark.timeout(300)


class TestTenThousandExceptionsASecond:
    def test_at_most_double_the_99th_percentile_of_other_actors_answers(self, storm, lonely):
        quiet_us = storm.rage(lonely, 1, seconds=10)
        stormy_us = storm.rage(lonely, "no", seconds=30)

        print(f"p99 between two others: {quiet_us:.0f} us, with 10,000 exceptions a second {stormy_us:.0f} us")  # noqa: T201
        assert stormy_us <= 2 * quiet_us

    def test_are_counted_exactly_and_logged_at_a_bounded_rate(self, actor_system, storm, fragile, lines):
        begun = time.monotonic()
        storm.rage(fragile, "no", seconds=30)
        actor_system.request(fragile, Ping(), timeout_s=60)
        seconds = time.monotonic() - begun

        assert storm.sent == 300_000
        assert actor_system.base.find(fragile).failures == storm.sent
        assert actor_system.base.dead_letters.count == storm.sent
        assert lines.count <= FAILURES_LOGGED_A_SECOND_MAX * (int(seconds) + 2)  # of the clock seconds it touched


class TestAMillionMessagesToOneWhoIsDown:
    def test_are_kept_up_to_a_bound_and_all_counted(self, actor_system, fragile, process):
        address = actor_system.base.find(fragile)
        address.control(lifecycle.Suspend(), actor_system.base.outside)
        actor_system.request("system", Ping())
        before = process.resident_bytes()

        for number in range(1_000_000):
            actor_system.tell(address, number)

        grown = process.resident_bytes() - before
        print(f"{grown / (1 << 20):.0f} MiB more")  # noqa: T201
        assert actor_system.base.find(fragile).counters().depth == SUSPENDED_MAX
        assert actor_system.base.dead_letters.count == 1_000_000 - SUSPENDED_MAX
        assert grown < 64 << 20


class TestAStrategyThatDiesInItsStartForEver:
    def test_is_left_behind_after_its_fourth_restart_and_the_run_ends_with_70(self, tmp_path):
        (tmp_path / "stillborn.py").write_text(
            "from pathlib import Path\n"
            "from natya import StrategyActor\n"
            "class Stillborn(StrategyActor):\n"
            "    def on_begin(self):\n"
            "        with Path('starts').open('a') as starts:\n"
            "            starts.write('x')\n"
            "        raise OSError('no such model file')\n"
        )
        strategy = ("--strategy", "stillborn:Stillborn", "--data-dir", "data")
        ended = subprocess.run(
            [sys.executable, "-m", "natya", "run", *strategy, "--duration", "40"],
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )

        starts = len((tmp_path / "starts").read_text())
        print(f"{starts - 1} restarts, exit code {ended.returncode}")  # noqa: T201
        assert (starts, ended.returncode) == (5, 70)
        assert "failed for good, and was left behind: stillborn" in ended.stderr
