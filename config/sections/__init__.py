"""The sections of the settings, one file each, named as the section. All defaults are in `default.toml` alone.

base           the base of all sections
system, log    the process as a whole; logging
supervision    how failed actors are restarted
journal        the journal files
database       the DuckDB files
feed           the market data source
orders         the risk gate and the book of record
instruments    the list of instruments
broker         the broker session; exchange: the paper exchange that it may lead to
strategy       one of the `[[strategies]]`
kill_switch    the file that halts everything; notifications: how alarms reach a person
control        the socket for requests of this user's other processes
web            the HTTP server
redis          how events reach other systems
nodes          the machines of one play
"""
