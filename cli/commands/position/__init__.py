"""`natya position …`: one position."""
