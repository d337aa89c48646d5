"""Rules of domain events: their ids, their wire form, and which topics a pattern means. Pure."""
