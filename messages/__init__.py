"""The messages of all actors, as frozen structs, one conversation a file, and the codec that writes and reads them.

accounts        which account the orders to come belong to
addresses       the names of the actors
broker          orders, the broker session and the exchange, in FIX's words
codec           every message to bytes and back
control         the outer frames of the control socket: a request for an actor, and its answer
database        queries and upkeep of the database files
delivery        domain events on their way to subscriptions, and dead letters
domain_events   what has happened, a class for each kind
events          subscriptions
exchange        the facts of an account at the paper exchange
framing         length-prefixed frames on a byte stream
health          how the running system is
history         candles of the past that are fetched from a broker
holdings        positions, and what a strategy that starts is told of its own
instruments     questions about instruments, and a new list of them
journal         facts to be made durable, and the records read back
kill_switch     on, off, and what orders does of it
log             the newest lines of the log
market          ticks, candles, the end of a recording
nodes           what the machines of a play say to each other
order_listing   what a person asks orders for, and what it counts
presence        a person reports presence
profit          how the profit has gone, for a curve
orders          what a strategy asks of orders, and the facts of an order
reconciliation  what the broker has of the account, and differences
replays         events handed over to one subscription again
risk            limits, how much of each is used, and what the broker has told for them
risk_state      what orders lets pass now; Resume
settings        settings that change while the system runs
strategies      strategies listed, started, stopped and replaced
strategy_state  a strategy's state, from one life to the next
supervision     failures, restarts, dead letters, the supervision tree
system          Ping and Pong, with the statistics of each kind of actor
tokens          how the access token stands
trace           the recorded hops of one order or request
units           the numbers in messages: unit and range
web             what the web server counts
"""
