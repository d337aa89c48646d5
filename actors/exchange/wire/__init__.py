"""Dhan's REST protocol, spoken by the paper exchange.

actor         the actor: owner of what the market has shown, and of the application
application   who asks, how often, for what: path, token, limits, body, endpoint
routes        the table of endpoints; groups/ has them
request       a request, and what an endpoint may ask of the exchange
reading       requests, as tolerant as Dhan's server is
answers       answers, and errors in their four shapes
counting      requests counted as the broker does (pure)
finding       instruments that are listed when somebody needs them
market        what the market has shown (pure)
carrying      faults on demand
logins        logins by an API key, of the other host
scrip_master  the list of instruments, a page at a time
hand          prices by hand (by_hand: as ticks, pure), the list of instruments, faults
asking        messages from the application to the actor
settings
"""
