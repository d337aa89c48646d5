"""Rules of a play on several machines: who runs a strategy, whose orders count, how nothing is lost between. Pure."""
