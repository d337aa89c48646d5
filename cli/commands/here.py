"""`natya here`: a sign of life of a person."""

from __future__ import annotations

from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import running, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Tell the running system that somebody looks after it.

    Where nobody has for `orders.operator_silence_max_s`, only orders pass that close a position, until somebody does.
    Whatever a person changes (orders, positions, limits, strategies, the kill switch) is such a sign, too.
    """
    with running(data_dir, profile) as system:
        noted = system.call("report-presence")
    limit_s = noted.silence_max_s
    until = f"after {limit_s:g} s without another sign only orders that close pass" if limit_s else "no limit wants it"
    tell_answer({"silence_max_s": limit_s}, f"noted; {until}", json=json)
