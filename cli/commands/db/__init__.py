"""`natya db …`: through the system that runs in the data directory, or on its files if none runs."""
