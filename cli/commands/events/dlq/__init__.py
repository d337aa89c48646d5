"""`natya events dlq …`."""
