"""Client order ids: what names an order to the broker, and to us for ever."""

from __future__ import annotations

import re
from typing import Final

LENGTH_MAX: Final = 25
"""Characters that Dhan was seen to take as `correlationId`; its documentation says 30, and 26 were refused.

Only new orders have to keep to it: journals hold ids of up to 30 characters, which are read as they are.
"""

_FORM: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{LENGTH_MAX}}}", re.ASCII)


def is_client_order_id(text: str) -> bool:
    """Say whether a new order may have this id: 1 to 25 characters of A-Z a-z 0-9 - _."""
    return _FORM.fullmatch(text) is not None
