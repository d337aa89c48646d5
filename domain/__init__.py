"""Pure rules that several packages of `actors/` need; they know no actors, files or clocks and import messages only.

accounts            which account a run trades on
booked              trades in our book that no request of ours has made
brackets            an entry whose fills are closed by a target or a stop, whichever trades first
breaker             a circuit breaker on a clock that is passed in
calendar            sessions of NSE and BSE, from dated data (`sessions.toml`)
candle_making       candles of ticks as they come, each told once, when it is closed
candles             what is in a candle, where it begins, and ticks from candles
charges             brokerage, taxes and fees of a trade
causes              what an error followed from
chart_candles       candles of what a broker's chart tells
client_order_ids    which texts may be one, how they are made, and which are a natya's
clock_jumps         whether the machine's clock was set ahead
clock_skew          how far our clock is off, by what a server says
protection          which orders stay where all are cancelled: stops that only make smaller what is held
closing             whether an order closes what is held, by our book and by the broker's
closing_auction     what is taken when in the auction after continuous trading, and its reference price
commodity_sessions  when commodities trade, from dated data (`commodities.toml`)
dhan                what Dhan's API says, and how many requests it allows
differences         in what the broker's books differ from ours
expiries            when a contract has expired, and at which price it is settled
flattening          how positions are closed by limit orders that follow the market
freshness           whether what another clock has timed is fresh
gap_filling         which gaps of the feed are filled next, and when
gone_positions      whose shares are gone, where the broker has fewer than our book
guesses             how often somebody may be wrong about a secret
history             which days of candles have to be asked for, what an answer is worth, what is missing
indicators          averages and other columns of columns of prices
instruments         symbols, price grids, lots
lazily              names of a package that are imported when they are looked up
market_messages     ticks and candles in one stream: which is which, and when each happens
money               exact rupees, and their one rounding
order_check         what an order must be before it leaves
orders              the state machine of one order
positions           positions by average cost, profit
products            in which product shares are held, and what an order has to be of to close them
pulse               whether someone whose heartbeat is heard lives
quotas              what a service allows in a period, and what is used of it
rate_limit          at most so many in a second
readiness           what a system needs beside its actors to be ready to trade
reconnecting        how long to wait before a socket is opened again
reports             which execution reports are believed
retention           which facts the journal may remove
shown               any value as JSON for a log
spans               spans of times or of days: together, and what is left
squared_off         which positions the broker has closed at the end of the day
stops               how a stop order is sent
time                nanoseconds, days in India, durations as text
timings             durations counted by classes
trace_context       W3C trace context of a conversation
transitions         transitions of an order that cannot be
venues              where an instrument trades, and so whose hours it has
volumes             how many shares a tick says were traded
wording             counts in sentences, text for any terminal; words and numbers that a constructor expects
"""
