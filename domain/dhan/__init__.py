"""What Dhan's API says, and what may be said to it (version 2): for its client, and for an exchange that speaks it.

tolerant    JSON into messages, whatever the service makes of numbers, dates, nothing and names
orders      orders, trades, positions, holdings, funds
refusals    what an error means, whichever of its shapes it has
limits      how many requests are allowed, by date (`limits.toml`)

Source: the documentation of DhanHQ 2.5, its OpenAPI export, and recorded exchanges, where they differ the latter.
"""
