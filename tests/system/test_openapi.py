"""The OpenAPI document against a system that trades on paper, by schemathesis: `make schemathesis` installs it.

OPENAPI_EXAMPLES and OPENAPI_SEED are how many requests each operation gets, and which.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import natya
from natya.actors.control.http.token_file import read_token

PROGRAM = Path(sys.executable).with_name("st")
EXAMPLES = os.environ.get("OPENAPI_EXAMPLES", "40")
SEED = os.environ.get("OPENAPI_SEED", "1")

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="schemathesis is not installed: make schemathesis")


@pytest.mark.timeout(900)
def test_promises_nothing_that_is_not_kept_whatever_is_asked(tmp_path):
    overrides = {
        "system.data_dir": str(tmp_path / "data"),
        "control.http": True,
        "control.http_role": "trade",
        "feed.duration_s": 0.0,
    }
    settings = natya.load_settings("paper", environment={}, overrides=overrides)
    with natya.TradingSystem(settings), natya.connect(data_dir=tmp_path / "data") as client:
        url, token = client.show_http().url, read_token(tmp_path / "data").reveal()
        done = subprocess.run(
            [
                *(PROGRAM, "run", f"{url}/v1/openapi.json", "--url", f"{url}/v1"),
                *("--header", f"Authorization: Bearer {token}", "--max-examples", EXAMPLES, "--seed", SEED),
                *("--phases", "examples,coverage,fuzzing", "--request-timeout", "15", "--no-color"),
                # Wrong tokens again and again are answered with 429, which is what keeps guesses away.
                *("--exclude-checks", "ignored_auth"),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert client.ping().statistics is not None

    assert done.returncode == 0, done.stdout[-8_000:]
