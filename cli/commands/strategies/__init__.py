"""`natya strategies …`: the strategies of the running system, changed while all else runs."""
