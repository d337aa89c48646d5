"""`natya audit …`: who had the system do what, by the journal."""
