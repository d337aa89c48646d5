"""The conversation by which Dhan is to close the account at a loss of the day; a generator, as in `flows.py`.

What Dhan says when it is read again counts, whatever the call was answered.
"""

from __future__ import annotations

from .....domain.dhan.account.portfolio import PositionRow
from .....domain.dhan.loss_exit import NOTHING_SET, closes_at, exit_request, why_not_now, will_do
from .....domain.dhan.trading.control import PnlExitAck, PnlExitRow
from .....domain.dhan.writing import InvalidRequestError, body_of
from .....messages.kill_switch import LossExitSet, SetLossExit
from . import endpoints
from .flows import Flow, Question
from .reading import one_of, rows_of
from .replies import Reply


def set_loss_exit(wanted: SetLossExit, *, client_id: str) -> Flow[LossExitSet]:
    """Set the exit unless it is there as wanted, or end ours where none is wanted; say how it stands then."""
    loss_rupees, problem = wanted.loss_rupees, ""
    found: PnlExitRow | str = yield from _read_exit()
    if isinstance(found, PnlExitRow) and not will_do(found, loss_rupees):
        problem = yield from (_set(found, wanted, client_id) if loss_rupees else _end())
        if not problem:
            found = yield from _read_exit()
    if isinstance(found, str):
        return LossExitSet(loss_rupees=None, problem=found)
    at = closes_at(found)
    if not problem and not will_do(found, loss_rupees):
        problem = f"an exit at {loss_rupees:.2f} rupees wanted, found {found.pnl_exit_status} at {at:.2f}"
    return LossExitSet(loss_rupees=at, problem=problem)


def _read_exit() -> Flow[PnlExitRow | str]:
    """Read the exit that is there, or tell why it could not be read; a plain no may mean that there is none."""
    reply: Reply = yield Question(endpoints.PNL_EXIT, one_of(PnlExitRow))
    if reply.outcome == "told":
        found: PnlExitRow = reply.value
        return found
    return NOTHING_SET if reply.outcome == "refused" else f"the exit could not be read: {reply.reason}"


def _set(found: PnlExitRow, wanted: SetLossExit, client_id: str) -> Flow[str]:
    """Request the exit, unless it would act at once; return why it is certainly not set."""
    reply: Reply = yield Question(endpoints.POSITIONS, rows_of(PositionRow))
    if reply.outcome != "told":
        return f"the positions could not be read: {reply.reason}"
    positions, unreadable = reply.value
    if unreadable:
        return f"all positions wanted, found {unreadable} that cannot be read"
    problem = why_not_now(positions, wanted.loss_rupees)
    if problem:
        return problem
    request = exit_request(found, wanted.loss_rupees, client_id=client_id, with_kill_switch=wanted.with_kill_switch)
    try:
        body = body_of(request)
    except InvalidRequestError as fault:
        return str(fault)
    reply = yield Question(endpoints.SET_PNL_EXIT, one_of(PnlExitAck), body=body)
    return reply.reason if reply.outcome in {"refused", "not_sent"} else ""


def _end() -> Flow[str]:
    """End the exit; return why it certainly has not ended."""
    reply: Reply = yield Question(endpoints.STOP_PNL_EXIT, one_of(PnlExitAck))
    return reply.reason if reply.outcome in {"refused", "not_sent"} else ""
