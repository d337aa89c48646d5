"""How groups of children that are being started merge when another failure concerns their members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .start_group import StartGroup

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from .child import Child


class StartGroups:
    """All start groups of a supervisor. Groups with a child in common are joined: a child belongs to at most one."""

    def __init__(self, children: Mapping[str, Child]) -> None:
        self._children = children
        self._opening: StartGroup | None = None
        """The group of the first start of all children, whatever has been joined to it since."""

    def open(self) -> StartGroup:
        """Make the group that starts all children."""
        self._opening = start_group = StartGroup(self._children)
        self._enlist(start_group)
        return start_group

    def is_opening(self, start_group: StartGroup | None) -> bool:
        """Tell whether it is the group of the first start."""
        return start_group is not None and start_group is self._opening

    def join(self, group: Collection[Child], *, probes: Iterable[str] = (), not_before_ns: int = 0) -> StartGroup:
        """Make one group of these children and all groups that they belong to; the longest back-off holds for all."""
        names = {child.spec.name for child in group}
        probing = set(probes)
        joined = tuple(
            {id(child.start_group): child.start_group for child in group if child.start_group is not None}.values()
        )
        for start_group in joined:
            names.update(start_group.names)
            probing |= start_group.probes
            not_before_ns = max(not_before_ns, start_group.not_before_ns)
        in_order = (name for name in self._children if name in names)
        return self._replace(joined, StartGroup(in_order, probes=probing, not_before_ns=not_before_ns))

    def drop(self, start_group: StartGroup, names: Iterable[str]) -> StartGroup:
        """Take children out of a group; return the group of the others."""
        return self._replace((start_group,), start_group.without(names))

    def end(self, start_group: StartGroup) -> bool:
        """Forget a group; True: it was that of the first start."""
        start_group.set_timer(None)
        for child in self._children.values():
            if child.start_group is start_group:
                child.start_group = None
        was_opening = self._opening is start_group
        if was_opening:
            self._opening = None
        return was_opening

    def _replace(self, old: Iterable[StartGroup], new: StartGroup) -> StartGroup:
        for start_group in old:
            if self.end(start_group):
                self._opening = new
        self._enlist(new)
        return new

    def _enlist(self, start_group: StartGroup) -> None:
        for name in start_group.probes.union(start_group.names):
            self._children[name].start_group = start_group
