"""Commands of the paper exchange."""
