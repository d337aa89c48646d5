"""What the orders actor is made of (plain): each part owns its own state, and the actor says which takes what.

context       what all share: the book of record, the market's prices, the actor; due: what it sends to itself, later
starting      the journal is read back, the account entered, what is open looked up
gate          the rules with all that they go by; senders: for whom one may speak;
              limiting: the limits in force
placing, changing, cancelling    what is asked of orders
bracketing/   the exits of brackets
journaling    what the journal answers: which facts are durable
hearing       what the broker says of orders; resolving: what is looked up there; ages: since when one waits
risk_keeping  who changes the risk state; clock_watch: whether the clock was set ahead;
              operator_watch: whether a person looks after the system
answering     questions
settling      a person's word on an order in doubt; settling_positions: on shares that the broker has no more;
              awaiting: who waits until that is durable;
              squared_off: what the broker has closed at the end of the day; expiring: contracts at their end
state_keeping the states of strategies
"""
