"""`natya db query`: run one SELECT."""

from __future__ import annotations

from typing import Annotated

import typer

from ...options import DataDirOption, JsonOption, ProfileNameOption, TimeoutOption
from ...session import faults, owner_of


def command(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT.")],
    parameters: Annotated[list[str] | None, typer.Argument(help="Values for its question marks, as texts.")] = None,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV with a header.")] = False,
    timeout: TimeoutOption = 30.0,
    rows_max: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="More rows are refused.")] = 1_000_000,
) -> None:
    """Answer one SELECT, while the system trades or when none runs.

    natya db query "select symbol, count(*) from ticks group by symbol"

    natya db query "select * from orders_utc where symbol = ?" TCS --csv
    """
    if json and csv:
        raise typer.BadParameter("one of --json and --csv is wanted, found both")
    from ....actors.database import INLINE_ROWS_MAX, QueryResult
    from ....messages.database import QueryToFile
    from ...views import rows

    message = QueryToFile(
        sql=sql,
        parameters=tuple(parameters or ()),
        timeout_s=timeout,
        rows_max=rows_max,
        inline_rows_max=INLINE_ROWS_MAX,
    )
    with faults(), owner_of(data_dir, profile) as owner, QueryResult(owner.work(message, timeout_s=timeout)) as result:
        if json:
            rows.print_json(result)
        elif csv:
            rows.print_csv(result)
        else:
            rows.print_table(result)
