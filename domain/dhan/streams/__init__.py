"""What goes over Dhan's sockets: for the client that reads them, and for an exchange that writes them.

packets        the market feed: codes, layouts, and where one packet of a frame ends and the next begins
depth          the feeds of 20 and 200 levels, whose header is another
subscriptions  what a client asks of both, as JSON
order_updates  the socket of order updates: the login, and what is pushed
"""
