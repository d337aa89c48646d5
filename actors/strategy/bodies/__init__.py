"""Strategies that come with the house."""
