"""The container of this process, whoever asks for it; natya's own services are registered by `natya.get_container`."""

from __future__ import annotations

from typing import Final

from .container import DependencyContainer

OF_THIS_PROCESS: Final = DependencyContainer()
