"""`natya secrets …`: secrets of the settings, kept as files of mode 600 in the data directory."""
