"""A clock that a test sets."""

from datetime import datetime

from natya.domain.time import IST, SECOND_NS


class Now:
    """Each look at it is a microsecond later."""

    def __init__(self, text):
        self.set(text)

    def set(self, text):
        self.ns = int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp()) * SECOND_NS

    def __call__(self):
        self.ns += 1_000
        return self.ns
