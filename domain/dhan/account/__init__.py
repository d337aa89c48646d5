"""Who trades, with what: holdings, money, statements, consents, tokens."""
