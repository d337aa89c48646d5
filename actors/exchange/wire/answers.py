"""What the wire answers: JSON with Dhan's names and sentinels, and its four shapes of an error."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, NamedTuple

import msgspec

from ....domain.dhan.writing import written
from ...web import answer

ERROR_TYPES: Final = {
    "DH-901": "Invalid_Authentication",
    "DH-902": "Invalid_Access",
    "DH-903": "User_Account",
    "DH-904": "Rate_Limit",
    "DH-905": "Input_Exception",
    "DH-906": "Order_Error",
    "DH-907": "Data_Error",
    "DH-908": "Internal_Server_Error",
    "DH-909": "Network_Error",
    "DH-910": "Others",
    "DH-911": "Invalid_IP",
    "DH-1111": "HOLDING_ERROR",
}
"""`errorType` of each code, as it was seen, or as its meaning is named."""

TEXT_MAX: Final = 500

INVALID: Final = "Missing required fields, bad values for parameters etc."


class Answer(NamedTuple):
    """One answer."""

    status: int
    body: bytes = b""
    retry_after_s: int = 0
    """When to ask again; 0: it does not say."""


async def tell(send: Any, told: Answer) -> None:
    """Write a whole answer, of JSON."""
    after = ((b"retry-after", b"%d" % told.retry_after_s),) if told.retry_after_s else ()
    await answer(send, told.status, told.body, headers=after)


class WireRefusal(Exception):  # noqa: N818  an outcome, as the protocol's word for it
    """The request is answered with an error."""

    def __init__(self, told: Answer) -> None:
        super().__init__(told.status)
        self.answer = told


def found(value: Any, status: int = 200) -> Answer:
    """Answer with what was asked for: structs of `domain.dhan`, or what JSON is made of."""
    return Answer(status, msgspec.json.encode(written(value)))


def trading_error(status: int, code: str, text: str) -> Answer:
    """Return the error of a trading endpoint."""
    body = {"errorType": ERROR_TYPES[code], "errorCode": code, "errorMessage": text[:TEXT_MAX]}
    return Answer(status, msgspec.json.encode(body))


def data_error(status: int, code: str, text: str) -> Answer:
    """Return the error of quotes and option chains."""
    return Answer(status, msgspec.json.encode({"data": {code: text[:TEXT_MAX]}, "status": "failed"}))


def path_error(status: int, reason: str, path: str, now_ms: int) -> Answer:
    """Return the error of a path or a method that there is not."""
    body = {"timestamp": now_ms, "status": status, "error": reason, "path": path[:TEXT_MAX]}
    return Answer(status, msgspec.json.encode(body))


def invalid(text: str = INVALID) -> WireRefusal:
    """Return the refusal of a request that is not as it should be."""
    return WireRefusal(trading_error(400, "DH-905", text))


def older_error(told: Answer) -> Answer:
    """Return an error of a trading endpoint as the paths without a version have it."""
    error = msgspec.json.decode(told.body)
    body = {
        "errorCode": error["errorCode"],
        "httpStatus": HTTPStatus(told.status).name,
        "internalErrorCode": error["errorCode"],
        "internalErrorMessage": error["errorMessage"],
    }
    return told._replace(body=msgspec.json.encode(body))


def token_refusal(message: str) -> Answer:
    """Return a refusal as the host of tokens has them: with 200."""
    return found({"message": message[:TEXT_MAX], "status": "error"})


TOKEN_TOO_SOON: Final = token_refusal("Token can be generated once every 2 minutes.")
THROTTLED: Final = trading_error(
    429,
    "DH-904",
    "Too many requests on server from single user breaching rate limits. Try throttling API calls.",
)
THROTTLED_DATA: Final = data_error(
    429, "805", "Too many requests. Further requests may result in the user being blocked."
)
