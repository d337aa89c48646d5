"""`natya config …`: the settings."""
