"""natya as a service of systemd.

manager   telling systemd that it is ready, lives, and stops
unit the text of a unit (pure) files     where units lie, and which of them are ours
"""

from __future__ import annotations
