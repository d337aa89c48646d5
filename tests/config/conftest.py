"""Settings as a test loads them: nothing of the machine's own environment or home."""

import pytest

from natya.config.loader import load_with_origins

CANARY = "canary-7f3a91"


@pytest.fixture
def load(tmp_path):
    """Load settings with a data directory of the test's own."""

    def loaded(profile="paper", **layers):
        environment = {"NATYA_SYSTEM__DATA_DIR": str(tmp_path / "data"), **layers.pop("environment", {})}
        return load_with_origins(profile, environment=environment, **layers)

    return loaded


@pytest.fixture
def config_file(tmp_path):
    """Write a user's file, readable by its user alone."""

    def written(text, mode=0o600):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        path.chmod(mode)
        return path

    return written
