"""Pure rules that several rooms need: what an order is, what a fill does to a position, what a rupee and a price is.

Imports messages and nothing else of natya; knows neither actors, files nor clocks.
"""
