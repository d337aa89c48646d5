"""The exits of brackets, kept as they should be (plain): `domain/brackets/` decides what is needed, here it is done.

keeping       Bracketing: after which events a bracket is looked at, and that each step it needs is taken once
standing      a bracket put together: from the book, the broker's positions, and the day
repeating     when a step that did not come about is taken again: the pauses
days          when the exchange takes orders, and since when exits of a day before may be placed
squaring_off  which strategies close a position themselves, since when, and what they could not close
jumped_over   stops that the market has jumped over, by the prices that are heard
reached       targets that rest nowhere: what is held is closed when the market is there
lasting       for how long prices have said so of an order
telling       what is held without the exit that it should have: told to a person, and held against new risk
"""
