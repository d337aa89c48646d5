"""Offloaded work that blocks in virtual time: each job has a thread, and only one thread runs at any time."""

import threading

from natya.actors.runtime.simulation.jobs import SimulatedOffloader

_here = threading.local()


def sleep(seconds):
    """Let virtual time pass for the job that this thread runs."""
    _here.strand.sleep(int(seconds * 1e9))


class Abandoned(BaseException):
    """The process of this job was killed."""


class Strand:
    """One job on a thread of its own, which runs only while its owner waits for it."""

    def __init__(self, run):
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._wait_ns = None
        self.is_killed = False
        self.outcome = None
        self._thread = threading.Thread(target=self._live, args=(run,), daemon=True)
        self._thread.start()

    def resume(self):
        """Run until it sleeps or ends; return how long it sleeps, None at its end."""
        self._wait_ns = None
        self._go.release()
        self._back.acquire()
        return self._wait_ns

    def kill(self):
        self.is_killed = True
        while self.resume() is not None:
            pass

    def sleep(self, wait_ns):
        if self.is_killed:
            raise Abandoned
        self._wait_ns = wait_ns
        self._back.release()
        self._go.acquire()
        if self.is_killed:
            raise Abandoned

    def _live(self, run):
        self._go.acquire()
        _here.strand = self
        try:
            if not self.is_killed:
                self.outcome = run()
        finally:
            self._back.release()


class BlockingOffloader(SimulatedOffloader):
    """As its base, but a job may `sleep`; what has been sent goes on when the actor is restarted."""

    def __init__(self, **options):
        super().__init__(**options)
        self.strands = set()

    def _end(self, queue):
        if self._closed:
            return
        strand = Strand(queue[0].run)
        self.strands.add(strand)
        self._advance(strand, queue)

    def _advance(self, strand, queue):
        if strand not in self.strands:
            return
        wait_ns = strand.resume()
        if wait_ns is not None:
            self._loop.call_after(wait_ns, lambda: self._advance(strand, queue))
            return
        self.strands.discard(strand)
        if self._closed:
            return
        job = queue[0]
        self._count -= 1
        job.done(strand.outcome)
        del queue[0]
        if queue:
            self._begin(queue)
        else:
            self._queues = {lane: each for lane, each in self._queues.items() if each}

    def kill(self):
        """Kill what runs, as the end of the process does."""
        strands, self.strands = self.strands, set()
        for strand in strands:
            strand.kill()
