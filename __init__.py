"""natya: a troupe of supervised actors for trading."""
