"""`natya service …`: natya as a service of systemd."""
