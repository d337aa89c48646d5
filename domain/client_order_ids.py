"""Client order ids (FIX ClOrdID): the name of an order at the broker and in the journal, unique for ever."""

from __future__ import annotations

import re
from typing import Final

LENGTH_MAX: Final = 25
"""Characters that Dhan accepts as `correlationId`, as observed; its documentation says 30, and 26 were refused.

Only new orders have to keep to it: older journals hold ids of up to 30 characters, which are read as they are.
"""

_FORM: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{LENGTH_MAX}}}", re.ASCII)


def is_client_order_id(text: str) -> bool:
    """Say whether a new order may have this id: 1 to 25 characters of A-Z a-z 0-9 - _."""
    return _FORM.fullmatch(text) is not None
