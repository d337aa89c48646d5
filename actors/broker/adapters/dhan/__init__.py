"""`DhanBrokerAdapter`: the whole of Dhan's REST API, or of an exchange that speaks as Dhan does.

adapter      all groups together, and `authenticate`
calls        how a group asks, and what came of it
orders       placing, changing, cancelling, looking up
legs         super, forever and conditional orders, and several in one request
portfolio    what is held, money, statements, and what stops trading
client       profile, addresses, consents, tokens
market       quotes and options
charts       candles, in as many requests as they take
symbols      from our symbols to Dhan's numbers
translating  from what a user orders to what Dhan is asked (pure)
reading      from bodies to messages (pure)
"""
