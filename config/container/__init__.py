"""A container of dependencies: each is made when first resolved, and closed with the container.

It knows nothing of natya; natya's own registrations are in `natya.services`.

container    `DependencyContainer`; scope: what lives as long as a piece of work
entries      what is registered, its errors, and what is told of it
process      the one of this process
"""

from .container import DependencyContainer
from .entries import (
    ContainerStatistics,
    DependencyCycleError,
    DependencyError,
    Key,
    NoScopeError,
    NotRegisteredError,
    Registration,
)
from .process import OF_THIS_PROCESS
from .scope import Scope

__all__ = [
    "OF_THIS_PROCESS",
    "ContainerStatistics",
    "DependencyContainer",
    "DependencyCycleError",
    "DependencyError",
    "Key",
    "NoScopeError",
    "NotRegisteredError",
    "Registration",
    "Scope",
]
