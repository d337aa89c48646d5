"""The messages of all actors, as frozen structs, one conversation a file, and the codec that writes and reads them.

accounts        which account the orders to come belong to
addresses       the names of the actors
broker          orders, the broker session and the exchange, in FIX's words
codec           every message to bytes and back
control         the outer frames of the control socket: a request for an actor, and its answer
database        queries and upkeep of the database files
events          subscriptions
exchange        the facts of an account at the paper exchange
framing         length-prefixed frames on a byte stream
journal         facts to be made durable, and the records read back
market          ticks, candles, the end of a recording
orders          what a strategy asks of orders, the facts of an order, positions, the risk state
supervision     failures, restarts, dead letters, the supervision tree
system          Ping and Pong, with the statistics of each kind of actor
trace           the recorded hops of one order or request
units           the numbers in messages: unit and range
"""
