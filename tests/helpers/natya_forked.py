"""Runs the tests in several processes, forked when all tests are collected: `pytest --processes 3`.

What such a process would do first if it began anew is there already: natya is imported, and each test is known. A file
stays in one process, so that what its tests share is made once; it goes to whichever process is free. One that dies
fails the test in hand, and the rest of its file goes to another.
"""

import contextlib
import os
import sys
import threading
from multiprocessing.connection import Pipe, wait

import pytest


def pytest_addoption(parser):
    parser.addoption("--processes", type=int, default=0, metavar="n", help="run the tests in n forks of this process")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    option = session.config.option
    if not option.processes or option.collectonly or session.testsfailed or option.usepdb:
        return None  # as pytest does it
    if threading.active_count() > 1:
        raise pytest.UsageError(f"a process without threads wanted for a fork, found {threading.enumerate()}")
    troupe = Troupe(session)
    try:
        return troupe.run(option.processes)
    finally:
        troupe.end()


class Troupe:
    """The processes, and the files that nobody has taken yet."""

    def __init__(self, session):
        self.session = session
        self.members = {}
        files = {}
        for number, item in enumerate(session.items):
            files.setdefault(item.path, []).append(number)
        self.files = list(files.values())[::-1]

    def run(self, processes):
        session = self.session
        for _ in range(min(processes, len(self.files))):
            if self.fork() is not None:
                return True  # this is the fork: it has played its part, and ends as any pytest does
        while self.members:
            for pipe in wait(self.members):
                with contextlib.suppress(EOFError):  # no fork within: this would be the context of its errors
                    self.members[pipe].hear(pipe.recv())
                    continue
                if self.mourn(self.members.pop(pipe)) is not None:
                    return True
            if stop := session.shouldfail or session.shouldstop:
                raise session.Failed(stop) if session.shouldfail else session.Interrupted(stop)
        return True

    def fork(self):
        """Begin another process; return something in it, None in this one."""
        ours, theirs = Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process:
            theirs.close()
            self.members[ours] = Member(self, process, ours)
            return None
        ours.close()
        for other in self.members:
            other.close()
        self.members = {}
        Fork(self.session, theirs).play()
        return True

    def mourn(self, member):
        """Take note of a process that has ended; where it should not have, another one goes on; see `fork`."""
        _, status = os.waitpid(member.process, 0)
        code = os.waitstatus_to_exitcode(status)
        if member.is_done and code == (pytest.ExitCode.TESTS_FAILED if member.failed else pytest.ExitCode.OK):
            return None
        member.fail(f"the process of this test ended {'by signal' if code < 0 else 'with'} {abs(code)}")
        return self.fork() if self.files else None

    def end(self):
        """Let nobody go on after the test in hand."""
        for pipe in self.members:
            pipe.close()
        for member in self.members.values():
            os.waitpid(member.process, 0)
        self.members = {}


class Member:
    """One of the processes, as this one sees it."""

    def __init__(self, troupe, process, pipe):
        self.troupe, self.process, self.pipe = troupe, process, pipe
        self.to_come = []
        self.newest = 0
        self.failed = 0
        self.is_done = False

    def hear(self, said):
        """Give it the next file, or pass on what it tells of a test."""
        config = self.troupe.session.config
        if said is None:
            numbers = self.troupe.files.pop() if self.troupe.files else []
            self.is_done = not numbers
            self.to_come += numbers
            self.pipe.send(numbers)
            return
        self.newest = self.to_come.pop(0)
        item = self.troupe.session.items[self.newest]
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for data in said:
            report = config.hook.pytest_report_from_serializable(config=config, data=data)
            self.failed += report.failed
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)

    def fail(self, why):
        """Fail the test in hand, or the one before where there is none, and give the others of its file back."""
        item = self.troupe.session.items[self.to_come.pop(0) if self.to_come else self.newest]
        if self.to_come:
            self.troupe.files.append(self.to_come)
        report = pytest.TestReport(
            nodeid=item.nodeid, location=item.location, keywords={}, outcome="failed", longrepr=why, when="call"
        )
        item.ihook.pytest_runtest_logreport(report=report)


class Fork:
    """One of the processes, as it sees itself."""

    def __init__(self, session, pipe):
        self.session, self.pipe = session, pipe
        self.reports = []
        """What is to be told of the test in hand, all at once."""

    def play(self):
        """Run files until there are none."""
        plugins = self.session.config.pluginmanager
        capture = plugins.getplugin("capturemanager")
        capture.stop_global_capturing()  # its file is that of all processes
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
        capture.start_global_capturing()
        for name in ("lfplugin", "nfplugin"):  # they write what has failed to the cache: the first process does that
            if plugins.hasplugin(name):
                plugins.unregister(name=name)
        plugins.register(self)
        self.session.testsfailed = 0  # of others
        with contextlib.suppress(EOFError, ConnectionError):  # nobody wants to hear more
            self.run()

    def run(self):
        numbers = self.next_file()
        while numbers:
            item = self.session.items[numbers.pop(0)]
            numbers = numbers or self.next_file()
            following = self.session.items[numbers[0]] if numbers else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self.pipe.send(self.reports)
            self.reports = []
            if self.session.shouldfail or self.session.shouldstop:
                break

    def next_file(self):
        self.pipe.send(None)
        return self.pipe.recv()

    def pytest_runtest_logreport(self, report):
        config = self.session.config
        self.reports.append(config.hook.pytest_report_to_serializable(config=config, report=report))
