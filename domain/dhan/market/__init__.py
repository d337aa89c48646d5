"""What the market shows: quotes, candles, options."""
