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


IMPORTING = """
import sys
from natya.cli.signals import end_in_order

end_in_order()
sys.path.insert(0, sys.argv[1])
try:
    import slow_to_load
finally:
    print("went on", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_one_that_comes_into_an_import_ends_it_at_once_without_an_exception_in_that(tmp_path, number):
    """Of a module in C++ an exception would abort the process, with a traceback."""
    (tmp_path / "slow_to_load.py").write_text('import time\nprint("loading", flush=True)\ntime.sleep(60)\n')
    command = [sys.executable, "-c", IMPORTING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "loading\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out, err) == (-number, "", "")


def test_ctrl_c_elsewhere_is_what_it_is_to_python(started, tmp_path):
    process, _ = started()

    process.send_signal(signal.SIGINT)

    assert process.wait(60) == -signal.SIGINT
    assert list(tmp_path.iterdir()) == []
