"""`natya order …`: one order."""
