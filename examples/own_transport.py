"""A transport of events of one's own: two systems that exchange them as files in a folder, at least once each.

python examples/own_transport.py

Any other way will do (a queue, a socket, a mailbox): what leaves is sent by a durable subscription, which has an event
again until its handler has returned; what comes is published under the id that it had, so that a repeat has no effect.
"""

import os
import pathlib
import queue
import tempfile
import threading
import time

import msgspec

import natya


class ParcelWeighed(natya.DomainEvent, frozen=True, kw_only=True):
    """What it weighs."""

    grams: int


class Folder:
    """One direction: a file for each event, complete or not there, in the order of leaving."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._path.mkdir()

    def send(self, event: ParcelWeighed) -> None:
        """Called by the durable subscription; what raises here is sent again."""
        name = f"{time.time_ns()}-{event.event_id}"
        part = self._path / f".{name}"
        with part.open("wb") as file:
            file.write(msgspec.json.encode(event))
            file.flush()
            os.fsync(file.fileno())
        part.rename(self._path / name)

    def receive(self, publisher: natya.EventPublisher, ended: threading.Event) -> None:
        """Publish what comes. A file goes only when its event is durable here: killed before, it comes once more."""
        while not ended.wait(0.02):
            for file in sorted(self._path.glob("[!.]*")):
                publisher.publish(msgspec.json.decode(file.read_bytes(), type=ParcelWeighed)).result()
                file.unlink()


def settings(folder: pathlib.Path, name: str) -> natya.Settings:
    """Return those of a system in a folder of its own."""
    return natya.load_settings("paper", overrides={"system.data_dir": str(folder / name)})


def main() -> None:
    """Weigh three parcels in Pune; Nagpur hears of each once, though one of them comes twice."""
    heard: queue.SimpleQueue[ParcelWeighed] = queue.SimpleQueue()
    with tempfile.TemporaryDirectory() as place:
        root = pathlib.Path(place)
        way = Folder(root / "to-nagpur")
        with (
            natya.TradingSystem(settings(root, "pune")) as pune,
            natya.TradingSystem(settings(root, "nagpur")) as nagpur,
            natya.EventSubscriber(pune.runtime).of(ParcelWeighed).handle_durably("to-nagpur", way.send),
            natya.EventSubscriber(nagpur.runtime).of(ParcelWeighed).handle_durably("scale", heard.put),
        ):
            ended = threading.Event()
            receiving = threading.Thread(target=way.receive, args=(natya.EventPublisher(nagpur), ended))
            receiving.start()
            parcels = [ParcelWeighed(aggregate_id=f"parcel-{number}", grams=100 * number) for number in (1, 2, 3)]
            published = natya.EventPublisher(pune).publish_many(parcels).result()  # with their ids
            way.send(published[0])  # once more, as after a kill between its arrival and the confirmation
            for _ in parcels:
                print(f"nagpur hears of {heard.get(timeout=30).aggregate_id}")
            while any((root / "to-nagpur").iterdir()):
                time.sleep(0.02)
            ended.set()
            receiving.join()
        print(f"more than once: {heard.qsize()}")


if __name__ == "__main__":
    main()
