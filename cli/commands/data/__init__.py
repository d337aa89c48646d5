"""`natya data …`: market data, from where it comes and what there is of it."""
