"""Many backtests of one strategy: every choice of some parameters, and whether a choice holds behind its own time.

grid        which parameters are tried (pure)
windows     times of training, and of testing behind them (pure)
outcomes    what a test came to (pure); fingerprint: by what it is known again; sources: the modules of a strategy
kept        a file of outcomes, so that a sweep goes on where it ended
engines     what runs the tests: processes of this machine, Dask, Ray
shown       how outcomes are written for people (pure)
sweep       all choices, on several processes; walking: on a time of training, then the best on the time behind it
"""
