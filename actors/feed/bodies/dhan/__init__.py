"""Dhan's market feed, live.

settings     options of the source
stream       all connections, on one thread; connection, one of them
attempt      one attempt to open a socket, which may be given up
line         when a connection is opened, when it is dead, when it is tried again (pure)
silence      instruments that were traded a moment ago and of which nothing comes (pure)
decoding     packets into ticks; prices, on the tick grid again
deep         connections of 20 and 200 levels; books, what is known by them, and what it adds to a tick
"""
