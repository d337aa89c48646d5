"""`natya secrets test`: does the broker accept it?"""

from __future__ import annotations

import typer

from ...exit_codes import FAILED, SETTINGS
from ...keeping import ACCESS_TOKEN, CODES, KeyArgument, NothingMore, expect_form, expect_key, tried
from ...options import ConfigOption, DataDirOption, JsonOption, ProfileNameOption
from ...session import give_up, load, tell_answer


def command(
    key: KeyArgument = ACCESS_TOKEN,
    more: NothingMore = None,
    *,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Try the secret that is in force: an access token at the broker, of others only the form.

    Nothing is ordered: the profile of the account is read. Exits with 77 where the broker refuses it, with 69 where the
    broker is not reached, with 78 where the settings do not say whose token it is, with 1 where there is no such
    secret.
    """
    from ...views.secrets import tried_json

    expect_key(key, more)
    loaded = load(
        profile, {} if data_dir is None else {"system.data_dir": str(data_dir)}, config=config, needs_secrets=True
    )
    section, _, name = key.partition(".")
    secret = getattr(getattr(loaded.settings, section), name)
    if not secret:
        give_up(f"{key} wanted, found none: natya secrets set {key}", FAILED)
    expect_form(key, secret)
    found = tried(loaded.settings, key, secret, origin=loaded.origins[key])
    tell_answer(tried_json(found), f"{key} ({found.origin}): {found.told}", json=json)
    if code := SETTINGS if key == ACCESS_TOKEN and found.verdict == "not_tried" else CODES.get(found.verdict):
        raise typer.Exit(code)
