"""`natya risk …`: the limits, how much of each is used, and what they said of an order."""
