"""A page in headless Chromium, driven by its DevTools protocol over a websocket, as a person with keyboard would."""

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request

from natya_processes import WAIT_S
from websockets.sync.client import connect

CHROMIUM = shutil.which("chromium")

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--remote-debugging-port=0", "--hide-scrollbars"),
)
KEYS = {"Enter": 13, "Escape": 27, "Tab": 9}


class Page:
    """One page; what it writes to its console as errors is in `complaints`."""

    def __init__(self, line, complaints):
        self._line, self.complaints, self._number = line, complaints, 0

    def do(self, method, **parameters):
        """Send a command, and return its answer."""
        self._number += 1
        self._line.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._line.recv(timeout=WAIT_S))
            if said.get("id") == self._number:
                assert "error" not in said, said
                return said["result"]
            self._hear(said)

    def _hear(self, said):
        told = said.get("params", {})
        if said["method"] == "Runtime.exceptionThrown":
            self.complaints.append(told["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        elif said["method"] == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")

    def value(self, script):
        """Return what a script says, as JSON."""
        result = self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def text(self, element_id):
        return self.value(f"document.getElementById({element_id!r}).textContent")

    def await_that(self, script):
        """Wait until a script is true, and return what it is."""
        ends = time.monotonic() + WAIT_S
        while not (found := self.value(script)):
            assert time.monotonic() < ends, f"not so in {WAIT_S} s: {script}"
            time.sleep(0.05)
        return found

    def press(self, key):
        """Press a key of `KEYS`."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind, more in (("keyDown", text), ("keyUp", {})):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key], **more)

    def write(self, text):
        self.do("Input.insertText", text=text)

    def shape(self, width, height, *, dark=False):
        """Give it the size of a screen, and a person's wish for dark."""
        self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", features=[scheme])


class Browser:
    """A context manager."""

    def __init__(self, folder):
        self._folder = folder

    def __enter__(self):
        with contextlib.ExitStack() as held:
            self._process = subprocess.Popen(
                [CHROMIUM, *OPTIONS, f"--user-data-dir={self._folder}", "about:blank"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            held.callback(self._end)
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port()}/json", timeout=WAIT_S) as answer:
                pages = json.load(answer)
            address = next(each["webSocketDebuggerUrl"] for each in pages if each["type"] == "page")
            self.page = Page(held.enter_context(connect(address, max_size=None, proxy=None)), [])
            for domain in ("Page", "Runtime", "Log"):
                self.page.do(f"{domain}.enable")
            self._held = held.pop_all()
        return self

    def __exit__(self, *_):
        self._held.close()

    def _end(self):
        self._process.terminate()
        try:
            self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()  # it would go on drawing for nobody
            self._process.wait()
            raise

    def _port(self):
        """Read where it listens, which it writes to a file when it does."""
        path, ends = self._folder / "DevToolsActivePort", time.monotonic() + WAIT_S
        while not (path.exists() and path.read_text().count("\n")):
            assert self._process.poll() is None, "the browser has ended"
            assert time.monotonic() < ends, "the browser does not listen"
            time.sleep(0.02)
        return int(path.read_text().split("\n")[0])

    def open(self, url):
        self.page.do("Page.navigate", url=url)
        return self.page
