"""The actors: one package for each resource of the outside world that an actor owns, and the runtime below them.

external        what any service over the network needs: HTTP, limits, retries
runtime         RuntimeActor, the in-process system base, timers, requests, worker processes, simulation
supervision     supervisors, child specs, restart policy, breakers, pools of workers
journal         owner of the journal files
database        owner of the DuckDB files
events          owner of the subscriptions: the router of ticks and facts
orders          owner of the book of record
broker          owner of the broker session
exchange        the paper exchange
feed            owner of the market data source
strategy        StrategyActor, the base of users' strategies
control         owner of the unix socket that other processes use
observability   logging
"""
