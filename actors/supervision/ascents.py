"""How groups of children that come up together merge when another failure touches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .ascent import Ascent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .child import Child


class Ascents:
    """All ascents of a troupe. Those that touch each other are joined: a child belongs to one at most."""

    def __init__(self, children: Mapping[str, Child]) -> None:
        self._children = children
        self._opening: Ascent | None = None
        """The start of all, in whatever it has been joined to."""

    def open(self) -> Ascent:
        """Make the one that starts all children."""
        self._opening = ascent = Ascent(self._children)
        self._enlist(ascent)
        return ascent

    def is_opening(self, ascent: Ascent | None) -> bool:
        """Tell whether it is the start of all."""
        return ascent is not None and ascent is self._opening

    def join(self, group: Iterable[Child], *, probes: Iterable[str] = (), not_before_ns: int = 0) -> Ascent:
        """Make one of these children and of all ascents that they belong to; the longest back-off holds for all."""
        names = {child.spec.name for child in group}
        probing = set(probes)
        joined = tuple({id(child.ascent): child.ascent for child in group if child.ascent is not None}.values())
        for ascent in joined:
            names.update(ascent.names)
            probing |= ascent.probes
            not_before_ns = max(not_before_ns, ascent.not_before_ns)
        in_order = (name for name in self._children if name in names)
        return self._replace(joined, Ascent(in_order, probes=probing, not_before_ns=not_before_ns))

    def drop(self, ascent: Ascent, names: Iterable[str]) -> Ascent:
        """Take children out of one."""
        return self._replace((ascent,), ascent.without(names))

    def end(self, ascent: Ascent) -> bool:
        """Forget one; True: it was the start of all."""
        ascent.set_timer(None)
        for child in self._children.values():
            if child.ascent is ascent:
                child.ascent = None
        was_opening = self._opening is ascent
        if was_opening:
            self._opening = None
        return was_opening

    def _replace(self, old: Iterable[Ascent], new: Ascent) -> Ascent:
        for ascent in old:
            if self.end(ascent):
                self._opening = new
        self._enlist(new)
        return new

    def _enlist(self, ascent: Ascent) -> None:
        for name in ascent.probes.union(ascent.names):
            self._children[name].ascent = ascent
