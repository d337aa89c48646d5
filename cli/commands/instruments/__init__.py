"""`natya instruments …`: the lists of instruments. A list is only read, so all work beside a running system, too."""
