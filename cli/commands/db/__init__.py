"""`natya db …`: through the system that runs there, or on its files where none does."""
