"""Keeping checkpoints of the book while the system runs."""
