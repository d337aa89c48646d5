"""Dhan's body of the broker session; it speaks HTTP through the owner of the calls to a service.

endpoints    the paths of the REST API, and what may be done with each
replies      what came of one request: told, refused, not sent, unknown (pure)
progress     what an order's row and its trades say of it (pure)
absence      when it may be said that Dhan does not have an order (pure)
"""
