"""Everything that exists because of Thespian's own protocol; a program of `RuntimeActor`s alone uses little of it.

door.py       what Thespian's `ActorSystem` and its plain actors ask of the system base
services.py   what this folder may use of the system (protocol)
calls.py      what Thespian's `Actor` calls on its own address
cell.py       the cell of a plain Thespian actor
addresses.py  addresses without an actor: the system itself, the mailbox behind `ActorSystem.ask`, a failed child
sources.py    actors loaded from zip files
loading.py    their modules, for themselves alone
watches.py    file descriptors that plain actors wait for
foreign.py    the host of a `RuntimeActor` on one of Thespian's own system bases
"""
