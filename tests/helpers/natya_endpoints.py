"""An address of no actor: who asks one, and looks at what it was told."""

from natya.actors.runtime.endpoint import Endpoint


class Asker(Endpoint):
    """Keeps what it is told."""

    def __init__(self, label="asker"):
        super().__init__(label)
        self.told = []

    def put(self, envelope):
        self.told.append(envelope[0])
