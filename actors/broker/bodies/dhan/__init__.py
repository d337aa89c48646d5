"""Dhan's body of the broker session; it speaks HTTP through the owner of the calls to a service.

body        places, cancels, looks up and watches orders: who waits for what
paper       the same at the paper exchange of this system
service     what the owner of the calls is told of Dhan: limits, headers, how answers are judged
changing    changes of an order, and whether they are shown
talk        drives the flows
flows       cancelling and looking up, as conversations of several requests (pure)
requests    an order of ours in Dhan's words (pure)
watching    which orders are open or in doubt, and when they are looked at
looks       what is open, looked at again and again (pure)
updates     one connection to the socket of order updates
hints       what updates say of the watched orders, and what follows for the looks (pure)
progress    what an order's row and its trades say of it (pure)
account     what the account has, whoever ordered it
absence     when it may be said that Dhan does not have an order (pure)
reading     what a look-up reads of an answer (pure)
replies     what came of one request: told, refused, not sent, unknown (pure)
endpoints   the paths of the REST API, and what may be done with each
tokens      new access tokens: minted or renewed
charts      candles of its charts, one request and its answer (pure)
loss_exit   that Dhan closes all at a loss of the day, as a conversation (pure)
listings    from our symbols to Dhan's numbers of instruments
"""

from .body import DhanBroker
from .paper import WiredPaperBroker

__all__ = ["DhanBroker", "WiredPaperBroker"]
