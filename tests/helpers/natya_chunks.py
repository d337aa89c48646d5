"""A recording that is there already: its chunks are given, and how many were taken is noted."""


class GivenChunks:
    """Gives each chunk, and fails behind the last if it is to."""

    def __init__(self, *chunks, fault=None):
        self.given, self.fault, self.taken, self.closed = chunks, fault, 0, 0

    def chunks(self):
        for chunk in self.given:
            self.taken += 1
            yield list(chunk)
        if self.fault:
            raise self.fault

    def close(self):
        self.closed += 1
