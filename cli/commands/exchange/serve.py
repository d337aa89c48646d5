"""`natya exchange serve`: the paper exchange, for any client that speaks Dhan's protocol."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from ...options import JsonOption, SetOption, assignments
from ...session import load, load_to_run

BOOK_LEVELS: Final = 20
"""Of a synthetic market, as deep as the feed of twenty levels shows."""


def command(
    *,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="To listen on; 0: one that is free.")] = None,
    replay: Annotated[
        list[Path], typer.Option(metavar="FILE", help="Recording to play; may be repeated: all go by one time.")
    ] = [],
    symbol: Annotated[
        list[str],
        typer.Option(
            metavar="SYMBOL", help="Of a recording whose rows name none; of the synthetic market: may be repeated."
        ),
    ] = [],
    synthetic: Annotated[int | None, typer.Option(metavar="SEED", help="Seed of a synthetic market.")] = None,
    feed: Annotated[
        str | None, typer.Option(metavar="NAME", help="A live market to trade on: dhan, with BROKER_ACCESS_TOKEN.")
    ] = None,
    by_hand: Annotated[bool, typer.Option("--by-hand", help="No market: prices are set by POST /__market.")] = False,
    token: Annotated[
        str | None, typer.Option(envvar="NATYA_EXCHANGE_TOKEN", help="Access token; by default a random one.")
    ] = None,
    client_id: Annotated[str, typer.Option(metavar="ID", help="Of the only client.")] = "1000000001",
    speed: Annotated[float | None, typer.Option(metavar="X", help="Times the recorded speed.")] = None,
    always_open: Annotated[bool, typer.Option("--always-open", help="Trade at any hour, on any day.")] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory of the account; by default the paper profile's with -exchange."),
    ] = None,
    faults: Annotated[bool, typer.Option("--faults", help="Let a client ask for faults at /__faults.")] = False,
    unlimited: Annotated[bool, typer.Option("--unlimited", help="Without the broker's limits of requests.")] = False,
    consent_redirect: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where an application waits for a person who agreed to its login by API key."),
    ] = None,
    instruments: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of lists of instruments; by default that of natya instruments refresh.",
        ),
    ] = None,
    settings: SetOption = [],
    json: JsonOption = False,
) -> None:
    """Serve the paper exchange on a port of this machine, until Ctrl-C or SIGTERM."""
    if sum((bool(replay), synthetic is not None, feed is not None, by_hand)) > 1:
        raise typer.BadParameter("one of --replay, --synthetic, --feed and --by-hand wanted, found several")
    if replay and len(symbol) > 1:
        raise typer.BadParameter(f"one --symbol of a recording wanted, found {len(symbol)}")
    if consent_redirect is not None and not _is_address(consent_redirect):
        raise typer.BadParameter(f"--consent-redirect: an http address wanted, found {consent_redirect!r}")
    overrides: dict[str, Any] = {
        "feed.source": "replay" if replay else feed or "synthetic",
        "feed.recording": None if not replay else str(replay[0]) if len(replay) == 1 else list(map(str, replay)),
        "feed.symbol": symbol[0] if symbol else None,
        "feed.symbols": symbol if symbol and not replay else None,
        "feed.seed": synthetic,
        "feed.speed": speed,
        "web.port": port,
        "instruments.path": None if instruments is None else str(instruments),
        "exchange.always_open": True if always_open else None,
        "system.data_dir": None if data_dir is None else str(data_dir),
    }
    given = assignments(settings) | {key: value for key, value in overrides.items() if value is not None}
    if given["feed.source"] == "synthetic" and not by_hand:
        given.setdefault("feed.options", {"levels": BOOK_LEVELS})
    if "system.data_dir" not in given:  # another than that of `natya run`, which may run beside it
        beside = load("paper", given).settings
        data_dir = Path(beside.system.data_dir)
        given["system.data_dir"] = str(data_dir.with_name(f"{data_dir.name}-exchange"))
        given.setdefault("instruments.path", beside.instruments.path)
    loaded = load_to_run("paper", given)

    from ....config.secrets import Secret
    from ....exchange_system import ExchangeSystem, Serving
    from ...serving import perform

    serving = Serving(
        token=Secret(token or secrets.token_urlsafe(32)),
        client_id=client_id,
        has_market=not by_hand,
        has_faults=faults,
        is_limited=not unlimited,
        consent_redirect=consent_redirect or "",
    )
    raise typer.Exit(perform(lambda: ExchangeSystem(loaded.settings, serving), serving.token, json=json))


def _is_address(text: str) -> bool:
    try:
        address = urlsplit(text)
    except ValueError:
        return False
    is_plain = text.isascii() and text.isprintable() and " " not in text  # it becomes a header
    return is_plain and address.scheme in {"http", "https"} and bool(address.netloc)
