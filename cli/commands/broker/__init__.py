"""`natya broker …`: the access token of the running system's broker."""
