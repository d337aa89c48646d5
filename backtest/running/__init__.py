"""How a backtest is run: the actors of `composition/` on the time of the recording.

tree        which of them are started, and what differs from a replay
feed        plays the recording, between two times, and keeps the marks of the market; disk: the journal's, unsynced
past        candles of the time before, for strategies that want them; warm_up: how many those are
recorder    keeps the facts of orders
running     starts them, waits for the end, and asks what came of it
"""
