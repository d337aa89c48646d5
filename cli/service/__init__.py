"""natya as a service of systemd.

manager   telling systemd that it is ready, lives, and stops
watchdog  by which proof it lives
unit      the text of a unit (pure)
files     where units lie, and which of them are ours
options   what the commands of a service have in common
"""

from __future__ import annotations
