"""Dhan's market feed, live.

decoding     packets into ticks
"""
