"""Answers as text for people and JSON for programs: one file for what is shown, mostly named as the command.

`screen` shows a running system, `rows` what the database answered, `order_life` one order; `columns` has those of
tables, and `tables` draws them.
"""
