"""The client's consent to shares leaving the depository (eDIS)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ..words import SomeUnits, Text, Units

EdisExchange: TypeAlias = Literal["NSE", "BSE", "MCX", "ALL"]
EdisSegment: TypeAlias = Literal["EQ", "COMM", "FNO"]
Isin: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z0-9]{12}\Z")]

HTML_CHARACTERS_MAX: Final = 262_144


class EdisFormRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /edis/form`; the PIN for it is sent to the client by `GET /edis/tpin`, which answers 202 and nothing."""

    isin: Isin
    qty: SomeUnits
    exchange: EdisExchange = "NSE"
    segment: EdisSegment = "EQ"
    bulk: bool = False


class EdisBulkFormRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /edis/bulkform`."""

    isin: Annotated[tuple[Isin, ...], Meta(min_length=1, max_length=100)]
    exchange: EdisExchange = "NSE"
    segment: EdisSegment = "EQ"


class EdisForm(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A page to be shown to the client."""

    edis_form_html: Annotated[str, Meta(min_length=1, max_length=HTML_CHARACTERS_MAX)]
    dhan_client_id: Text = ""


class EdisStatus(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`GET /edis/inquire/{isin}`, or of `ALL`: texts in one document, numbers in another."""

    isin: Text = ""
    total_qty: Units = 0
    aprvd_qty: Units = 0
    """Of them approved."""

    status: Text = ""
    remarks: Text = ""
    client_id: Text = ""

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {"client_id": ("dhanClientId",)}
