"""What Dhan's API says, and what may be said to it (version 2): for its client, and for an exchange that speaks it.

trading/       orders, super_orders, forever_orders, alerts (conditional orders, several in one request), control
account/       portfolio, funds (and margins), statements, profile (addresses and tokens, too), edis
market/        quotes, charts (of expired options, too), option_chain
streams/       packets of the sockets, and what is asked over them
words          the words and ranges that they share
moments        times and days
tolerant       JSON into messages, whatever the service makes of numbers, dates, nothing and names
decoding       bytes into rows: fast where they are as documented, tolerant where not
faults         why a request was refused: field, wanted, found
writing        requests into bytes, checked; answers as the service writes them
refusals       what an error means, whichever of its shapes it has
tokens         how long an access token lives, and when another may be asked for
scrips         its daily list of instruments, in both forms, into instruments of ours
scrip_writing  the same the other way round
technical      the indicators of conditional orders
loss_exit      at which loss of the day it closes all, and what is asked of it for that
square_off     when intraday positions are closed
limits         how many requests are allowed, by date (`limits.toml`)

A struct whose name ends in Request is what is sent; one that ends in Row, Ack or like a thing is what is answered.
Source: the documentation of DhanHQ 2.5, its OpenAPI export, and recorded exchanges, where they differ the latter.
"""
