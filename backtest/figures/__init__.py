"""The figures of a backtest, computed from fills and marks (pure).

trades      what was opened and closed, exact; charging: what each fill cost
curve       what the account was worth at each mark and fill
measures    the formulas
doubts      what was held over a split, or beyond its expiry
bars_met    fills that were a large part of what the market traded, or met a price that leapt and came back
report      all of it in one structure; by month, by symbol; shown: how its figures are written for people
assumptions what every test takes for granted, and what it leaves out
"""
