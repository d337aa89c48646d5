"""A signal ends a command as Ctrl-C does: what it made for the moment is removed. Played by a process of its own."""

import os
import signal
import subprocess
import sys

import pytest

COMMAND = """
import os, sys, tempfile, time
from natya.cli.signals import end_in_order

end_in_order()
with tempfile.TemporaryDirectory() as folder:
    if "forked" in sys.argv and (child := os.fork()):
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        sys.exit(0)
    try:
        print(os.getpid(), flush=True)  # a forked one hears no signal before it is here
        while True:
            time.sleep(0.01)
    finally:
        if "stubborn" in sys.argv:
            print("tidying up", flush=True)
            while True:
                time.sleep(0.01)
"""


@pytest.fixture
def started(tmp_path):
    processes = []

    def start(*words, by=()):
        process = subprocess.Popen(
            [*by, sys.executable, "-c", COMMAND, *words],
            env=os.environ | {"TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process, int(process.stdout.readline().split()[0])

    yield start
    for each in processes:
        each.kill()
        each.wait()
        each.stdout.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_the_first_one_ends_it_when_it_has_tidied_up(started, tmp_path, number, code):
    process, _ = started()

    process.send_signal(number)

    assert process.wait(60) == code
    assert list(tmp_path.iterdir()) == []


def test_a_second_one_ends_it_at_once(started):
    process, _ = started("stubborn")
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "tidying up\n"

    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == -signal.SIGTERM


def test_one_that_is_ignored_stays_so(started):
    process, _ = started(by=["nohup"])
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)

    assert process.wait(60) == 143


def test_a_forked_process_is_ended_by_it_as_ever(started):
    process, child = started("forked")

    os.kill(child, signal.SIGTERM)

    assert process.stdout.readline() == f"{-signal.SIGTERM}\n"
