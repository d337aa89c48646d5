"""`natya events …`."""
