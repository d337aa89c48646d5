"""Strategies that come with natya."""
