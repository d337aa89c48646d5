"""Who the client is, from where orders may come, and what tokens are."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ..moments import Day, Moment
from ..words import ClientId, Id, Text, Words

IpFlag: TypeAlias = Literal["PRIMARY", "SECONDARY"]
Activity: TypeAlias = Annotated[str, Words(("Active", "Deactive"))]


class Profile(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`GET /profile`."""

    dhan_client_id: Id
    token_validity: Moment = None
    """On the exchanges' clock, to the minute."""

    active_segment: Text = ""
    """`Equity, Derivative, Currency, Commodity`, or their first letters."""

    ddpi: Activity = ""
    mtf: Activity = ""
    data_plan: Activity = ""
    data_validity: Moment = None


class IpRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /ip/setIP`, `PUT /ip/modifyIP`: the address is locked for seven days then."""

    dhan_client_id: ClientId
    ip: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f.:]{3,45}\Z")]
    ip_flag: IpFlag = "PRIMARY"


class IpAck(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A refused change was answered by 200 and an array of one whose status is `ERROR`."""

    status: Annotated[str, Words(("SUCCESS", "ERROR"))]
    message: Text = ""


class IpAddresses(msgspec.Struct, frozen=True, kw_only=True):
    """`GET /ip/getIP`."""

    primary_ip: Text = msgspec.field(default="", name="primaryIP")
    secondary_ip: Text = msgspec.field(default="", name="secondaryIP")
    modify_date_primary: Day = msgspec.field(default=None, name="modifyDatePrimary")
    """The next day on which it may be changed."""

    modify_date_secondary: Day = msgspec.field(default=None, name="modifyDateSecondary")
    detected_ip: Text = msgspec.field(default="", name="detectedIP")
    ip_match_status: Text = msgspec.field(default="", name="ipMatchStatus")
    orders_allowed: bool | None = msgspec.field(default=None, name="ordersAllowed")

    UNSAID: ClassVar[dict[str, str]] = {"modify_date_primary": "", "modify_date_secondary": ""}


class NewToken(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an answer with a token has to have: the one before is dead, so nothing else that it says may lose this one.

    Whoever reads it puts `access_token` into a `Secret` at once; the repr of this is without it.
    """

    access_token: Annotated[str, Meta(min_length=1, max_length=8_192)]

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {"access_token": ("token",)}
    """A renewal names it so, whatever the documents say."""

    def __repr__(self) -> str:
        """Show that there is one."""
        return "NewToken(access_token=***)"


class TokenAnswer(NewToken, frozen=True, kw_only=True, rename="camel"):
    """A token as it is minted or renewed; a refusal comes with 200, too, and has `status` and `message` instead."""

    expiry_time: Moment = None
    dhan_client_id: Text = ""
    dhan_client_name: Text = ""
    dhan_client_ucc: Text = ""
    given_power_of_attorney: bool = False

    def __repr__(self) -> str:
        """Show whose it is and until when."""
        return f"TokenAnswer(dhan_client_id={self.dhan_client_id!r}, expiry_time={self.expiry_time}, access_token=***)"


class Consent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A login that was begun: `POST /app/generate-consent`, and that of partners."""

    consent_app_id: Id
    consent_app_status: Text = ""
    status: Text = ""

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {
        "consent_app_id": ("consentId",),
        "consent_app_status": ("consentStatus",),
    }


class TokenRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """What comes, with 200, in the place of a token or a consent."""

    status: Text
    message: Text = ""
