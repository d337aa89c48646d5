"""What an error of Dhan's means, whichever of its four shapes it has.

    {"errorType": "Order_Error", "errorCode": "DH-906", "errorMessage": "…"}     trading
    {"data": {"808": "…"}, "status": "failed"}                                   market data
    {"timestamp": …, "status": 404, "error": "Not Found", "path": "…"}           an unknown path
    {"errorCode": "RS-9005", "httpStatus": "BAD_REQUEST", "internalErrorMessage": "…"}   paths of version 1

A dead token shows in three ways: 401 with 808, 400 with DH-906 "Invalid Token", and 401 with DH-901. So it is told by
code and by text. The trap: 401 with 806 comes where the account has no plan for market data; its token trades on.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias

import msgspec

Meaning: TypeAlias = Literal["token", "throttled", "not_found", "address", "input", "order", "data", "broken"]
"""`token`: dead, or none of ours. `address`: the IP is not listed. `broken`: the service does not work."""

CODE_MAX: Final = 64
TEXT_MAX: Final = 1_000

_TOKEN_CODES: Final = frozenset({"DH-901", "807", "808", "809", "810"})
_TOKEN_TEXTS: Final = ("invalid token", "token expired", "invalid_authentication", "token is invalid", "access token")
_ADDRESS_CODES: Final = frozenset({"DH-911"})
_MEANINGS: Final[dict[str, Meaning]] = {
    "DH-902": "data",
    "DH-903": "input",
    "DH-904": "throttled",
    "DH-905": "input",
    "DH-906": "order",
    "DH-907": "data",
    "DH-908": "broken",
    "DH-909": "broken",
    "800": "broken",
    "804": "input",
    "805": "throttled",
    "806": "data",
    "811": "input",
    "812": "input",
    "813": "input",
    "814": "input",
}
_OF_STATUS: Final[dict[int, Meaning]] = {
    HTTPStatus.UNAUTHORIZED: "token",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.TOO_MANY_REQUESTS: "throttled",
}
_SERVER_ERRORS: Final = range(500, 600)


class Refused(msgspec.Struct, frozen=True):
    """An answer that is an error."""

    meaning: Meaning
    code: str
    """Dhan's, such as `DH-906` or `808`; empty where it gives none."""

    text: str


def refusal_of(status_code: int, body: Any) -> Refused:
    """Tell what an answer with a status other than 2xx means.

    Args:
        status_code: of HTTP.
        body: JSON as it was decoded, None if it was none.
    """
    code, text = _code_and_text(body)
    return Refused(_meaning(status_code, code, text), code, text)


def _meaning(status_code: int, code: str, text: str) -> Meaning:
    words = text.lower()
    if code in _TOKEN_CODES or any(each in words for each in _TOKEN_TEXTS):
        return "token"
    if code in _ADDRESS_CODES or "invalid ip" in words:
        return "address"
    known = _MEANINGS.get(code)
    if status_code in _OF_STATUS and not (status_code == HTTPStatus.UNAUTHORIZED and known == "data"):
        return _OF_STATUS[status_code]
    return known or ("broken" if status_code in _SERVER_ERRORS else "input")


def _code_and_text(body: Any) -> tuple[str, str]:
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        return "", ""
    data = body.get("data")
    if isinstance(data, dict) and data and "errorCode" not in body:
        code, text = next(iter(data.items()))
        return _cut(code, CODE_MAX), _cut(text, TEXT_MAX)
    code = body.get("errorCode") or body.get("internalErrorCode") or ""
    words = (body.get(name) for name in ("errorMessage", "internalErrorMessage", "errorType", "error", "message"))
    return _cut(code, CODE_MAX), _cut(next((each for each in words if each), ""), TEXT_MAX)


def _cut(found: Any, most: int) -> str:
    if isinstance(found, str):
        return found[:most]
    return ascii(found)[:most] if isinstance(found, int | float) else type(found).__name__
