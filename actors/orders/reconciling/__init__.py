"""Finding out at the broker what became of orders. Lookups: which have to be looked up; rounds: when."""
