"""Sources of market data, one a file."""
