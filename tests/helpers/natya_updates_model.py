"""The socket of order updates of the small Dhan of `natya_dhan_model`, in virtual time: what is pushed may go wrong."""

import heapq
import itertools

from natya.actors.broker import TokenDeadError
from natya.actors.broker.updates import Connected, Ending, Unreadable
from natya.messages.broker import OrderUpdated

WORDS = {"TRANSIT": "TRANSIT", "PART_TRADED": "PENDING"}
"""A partial fill has no word of its own."""


class ModelUpdates:
    """One connection; `sleep` lets time pass for its job."""

    def __init__(self, model, token, sleep):
        self.model, self.token, self.sleep = model, token, sleep
        self.is_stopped = False
        self._due = []
        self._sequence = itertools.count()

    def stop(self):
        self.is_stopped = True

    def push(self, order):
        """Have an update of an order delivered: perhaps not, twice, late, or after a later one."""
        model, faults, chance = self.model, self.model.faults, self.model.chance
        update = OrderUpdated(
            broker_order_id=order.number,
            status=WORDS.get(order.status, order.status),
            client_order_id=order.correlation_id if chance.random() < 0.8 else "",
            filled=order.filled,
        )
        for _ in range(2 if self._happens("updates_twice") else 1):
            if self._happens("updates_lost"):
                continue
            delay_s = chance.uniform(0, 30) if self._happens("updates_late") else chance.uniform(0, 0.3)
            due_ns = model.clock.monotonic_ns() + int(delay_s * 1e9)
            heapq.heappush(self._due, (due_ns, next(self._sequence), update))
        if faults.updates_lost and chance.random() < 0.1:
            heapq.heappush(self._due, (0, next(self._sequence), Unreadable("JSON wanted")))

    def run(self, tell):
        model = self.model
        self.sleep(model.chance.uniform(0.01, 0.5))
        try:
            token = self.token.reveal()
        except TokenDeadError:
            return Ending(reason="no token", has_no_token=True)
        if token != model.token:
            return Ending(reason="reset", is_login_in_doubt=True)
        tell(Connected())
        model.sockets.append(self)
        try:
            return self._read(tell)
        finally:
            model.sockets.remove(self)

    def _read(self, tell):
        model = self.model
        while not self.is_stopped:
            self.sleep(model.chance.uniform(0.05, 0.4))
            model.pass_time()
            while self._due and self._due[0][0] <= model.clock.monotonic_ns():
                tell(heapq.heappop(self._due)[2])
            if self._happens("updates_dropped"):
                return Ending(reason="reset")
        return Ending(reason="it was stopped")

    def _happens(self, kind):
        model = self.model
        happens = model.active and model.chance.random() < getattr(model.faults, kind)
        model.injected[kind] += happens
        return happens
