"""Pure rules that several packages of `actors/` need; they know no actors, files or clocks and import messages only.

accounts            which account a run trades on
breaker             a circuit breaker on a clock that is passed in
calendar            sessions of NSE and BSE, from dated data (`sessions.toml`)
candle_making       candles of ticks as they come, each told once, when it is closed
candles             what is in a candle, where it begins, and ticks from candles
charges             brokerage, taxes and fees of a trade
client_order_ids    which texts may be one
dhan                what Dhan's API says, and how many requests it allows
indicators          averages and other columns of columns of prices
instruments         symbols, price grids, lots
lazily              names of a package that are imported when they are looked up
money               exact rupees, and their one rounding
order_check         what an order must be before it leaves
orders              the state machine of one order
positions           positions by average cost, profit
quotas              what a service allows in a period, and what is used of it
rate_limit          at most so many in a second
reports             which execution reports are believed
retention           which facts the journal may remove
shown               any value as JSON for a log
time                nanoseconds, days in India, durations as text
wording             counts in sentences
"""
