"""What `natya doctor` looks at, and how each fault is fixed.

finding      what a check found
machine      Python, clock, limits, disk: of this machine
installation files, ports, credentials: of one set of settings; forms: of secrets
network      whether the broker is reached, how far the clock is off its own, and whether orders may come from here
checks       all of them, in order: to add one, add a line
"""

from __future__ import annotations
