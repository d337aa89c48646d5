"""What each command asks of the running system, which is a double here, and what it tells of the answer.

A row says the command, what was asked of whom within how many seconds, what is told for people, what is told as JSON,
and the exit code, which is the same in both forms.
"""

import json
from typing import Any, NamedTuple

import msgspec
import pytest

from natya.client import Connection
from natya.messages.addresses import (
    ALARMS,
    BROKER_TOKENS,
    BROKER_UPDATES,
    CONTROL,
    DATABASE,
    DELIVERY,
    FLATTENER,
    ORDERS,
    SETTINGS,
    STRATEGIES,
    SYSTEM,
)
from natya.messages.broker import UpdatesStatistics
from natya.messages.database import CheckDatabase, DatabaseChecked
from natya.messages.delivery import (
    ChangeDeadLetters,
    DeadLettersChangeDone,
    DeadLettersListed,
    DeliveryStatistics,
    EventDeadLettered,
    EventPublished,
    ListDeadLetters,
    ReplayStatus,
    SubscriptionStatus,
)
from natya.messages.health import (
    Alarm,
    AlarmsShown,
    Component,
    Health,
    MetricsRead,
    NotificationsTested,
    ReadHealth,
    ReadMetrics,
    ShowAlarms,
    TestNotifications,
)
from natya.messages.kill_switch import Flatten, FlatteningBegun
from natya.messages.order_listing import (
    CancelOrders,
    OrdersCancelling,
    OrderSettled,
    PositionSettled,
    SettleOrder,
    SettlePosition,
    SettleRefused,
)
from natya.messages.presence import PresenceNoted, ReportPresence
from natya.messages.replays import ReplayBegun, ReplayEvents, ReplayRefused, ReplayStopped, StopReplay
from natya.messages.risk import ChangeLimits, LimitChange, LimitsInForce, LimitsKept, ReadRisk, RiskFigure, RiskRead
from natya.messages.risk_state import Resume, Resumed, ResumeRefused
from natya.messages.settings import ReloadRefused, ReloadSettings, SettingChange, SettingsReloaded
from natya.messages.strategies import (
    ListStrategies,
    ReloadStrategy,
    StartStrategy,
    StopStrategy,
    StrategiesListed,
    StrategyChanged,
    StrategyNotChanged,
    StrategyShown,
    SwapStrategy,
)
from natya.messages.supervision import ChildStatus, DescribeTree, SupervisionTree
from natya.messages.system import Ping, Pong
from natya.messages.tokens import LogIn, RenewToken, ShowToken, TokenStatus

NOON_NS, MINUTE_NS = 1_790_000_000 * 10**9, 60 * 10**9


class Row(NamedTuple):
    command: str
    answers: tuple[Any, ...]
    asked: tuple[tuple[str, msgspec.Struct, float], ...]
    told: str
    found: dict[str, Any] | None = None
    """None: nothing on standard output, and what is told is an error."""

    code: int = 0
    complaint: str = ""


def tree(*names):
    of_each = {"state": "RUNNING", "host": "loop", "restarts": 0, "breaker": "closed", "mailbox_depth": 0}
    return SupervisionTree(
        children=tuple(ChildStatus(path=f"system/{name}", last_error="", handled=0, **of_each) for name in names)
    )


def letter(number, key="parcel-1"):
    event = EventPublished(
        event_id=f"e{number}", event_type="Weighed", version=1, aggregate_id=key, occurred_ns=NOON_NS, origin="scale"
    )
    return EventDeadLettered(
        letter_id=f"billing-{number}",
        subscription="billing",
        sequence=number,
        event=event,
        error="ValueError",
        reason="-1 g",
        traceback="where",
        attempts=8,
        first_failed_ns=NOON_NS,
        last_failed_ns=NOON_NS + MINUTE_NS,
    )


def replay(**changes):
    return msgspec.structs.replace(
        ReplayStatus(replay_id="r1", subscription="billing", sequence=1_200, handled=1, failed=0, is_over=True),
        **changes,
    )


def delivery(*replays, **changes):
    counts = DeliveryStatistics(published=1_000, refused=1, sent=2, subscribers=3, last_sequence=9, replays=replays)
    return Pong(actor=DELIVERY, statistics=msgspec.structs.replace(counts, **changes))


WHICH = "which? their ids wanted, or some of --subscription, --type, --error, --key and --all"
WHICH_PURGED = "which? --subscription, --type, --error, --key, --older-days or --all wanted"
NO_OBJECT = "fields as one JSON object wanted: Expected `object`, got `array`"


def misused(command, arguments, said):
    usage = f"natya events dlq {command} [OPTIONS] {arguments}".rstrip()
    return f"Usage: {usage}\nTry 'natya events dlq {command} --help' for help.\n\nError: Invalid value: {said}\n"


CHANGED = StrategyChanged(name="mine", strategy="mine:Mine", modules=("mine", "its"), handed_over=2_000, conflated=1)
NOT_CHANGED = StrategyNotChanged(name="mine", reason="no such class")
ALIVE = TokenStatus(state="alive", ends_ns=NOON_NS, can_log_in=True)
DEAD = TokenStatus(state="dead", attempts=2, wait_s=90.4, reason="a wrong PIN")
UPDATES = UpdatesStatistics(
    connected=True, since_ns=NOON_NS, connections=2, failures=1, updates=40, without_id=3, ignored=0, refused=4
)
RISE = LimitChange(name="position_max", before="50", after="60", loosened=True)
SHOWN = StrategyShown(name="mine", strategy="mine:Mine", state="RUNNING", host="loop", restarts=2, has_state=False)
HEALTH = Health(
    live=True,
    ready=True,
    reason="",
    risk_state="NORMAL",
    components=(Component(name="journal", state="ok"), Component(name="feed", state="degraded", reason="a gap")),
)
RISK = RiskRead(
    risk_state="HALTED",
    risk_cause="day_loss",
    as_of_ns=NOON_NS,
    figures=(
        RiskFigure(limit_name="position_max", limit=1_000, found=799, formed="shares", of="TCS"),
        RiskFigure(limit_name="day_loss_max_rupees", limit=0, found=None, formed="a price is missing"),
    ),
)
SUBSCRIBED = SubscriptionStatus(
    subscription="billing",
    subscriber="biller",
    position=7,
    behind=1_000,
    pending=2,
    handled=3,
    retries=4,
    duplicates=5,
    dead_letters=6,
    breaker="closed",
    last_error="",
)
TREE = (SYSTEM, DescribeTree(), 5)


def letter_shown(number, *, is_requeued=False):
    """A dead letter as `--json` has it."""
    return {
        "letter_id": f"billing-{number}",
        "subscription": "billing",
        "sequence": number,
        "error": "ValueError",
        "reason": "-1 g",
        "traceback": "where",
        "attempts": 8,
        "first_failed_ns": NOON_NS,
        "last_failed_ns": NOON_NS + MINUTE_NS,
        "is_requeued": is_requeued,
        "event": {
            "event_id": f"e{number}",
            "event_type": "Weighed",
            "version": 1,
            "aggregate_id": "parcel-1",
            "occurred_ns": NOON_NS,
            "correlation_id": "",
            "causation_id": "",
            "topic": "",
            "kind": "domain",
            "origin": "scale",
            "fields": {},
        },
    }


ROWS: tuple[Row, ...] = (
    Row(
        "here",
        (PresenceNoted(silence_max_s=900.0),),
        ((ORDERS, ReportPresence(), 5),),
        "noted; after 900 s without another sign only orders that close pass\n",
        {"schema": 1, "silence_max_s": 900.0},
    ),
    Row(
        "here",
        (PresenceNoted(silence_max_s=0.0),),
        ((ORDERS, ReportPresence(), 5),),
        "noted; no limit wants it\n",
        {"schema": 1, "silence_max_s": 0.0},
    ),
    Row(
        "resume --reason fixed",
        (Resumed(halted_because="day_loss"),),
        ((ORDERS, Resume(reason="fixed", person="trader"), 10),),
        "orders pass again; they were halted because day_loss\n",
        {"schema": 1, "halted_because": "day_loss", "still": ""},
    ),
    Row(
        "resume --reason fixed",
        (Resumed(halted_because="day_loss", still="silence"),),
        ((ORDERS, Resume(reason="fixed", person="trader"), 10),),
        "orders that reduce pass again, and no others, since silence; they were halted because day_loss\n",
        {"schema": 1, "halted_because": "day_loss", "still": "silence"},
    ),
    Row(
        "resume --reason fixed",
        (ResumeRefused(risk_state="NORMAL", reason="nothing is halted"),),
        ((ORDERS, Resume(reason="fixed", person="trader"), 10),),
        "",
        None,
        code=1,
        complaint="natya: nothing changed: nothing is halted\n",
    ),
    Row(
        "flatten --all",
        (FlatteningBegun(),),
        ((FLATTENER, Flatten(person="trader"), 10),),
        "positions are being closed: natya positions\n",
        {"schema": 1, "begun": True},
    ),
    Row(
        "flatten --strategy mine",
        (FlatteningBegun(),),
        ((FLATTENER, Flatten(strategy="mine", person="trader"), 10),),
        "positions are being closed: natya positions\n",
        {"schema": 1, "begun": True},
    ),
    Row(
        "flatten --symbol TCS",
        (FlatteningBegun(not_written="no space"),),
        ((FLATTENER, Flatten(symbol="TCS", person="trader"), 10),),
        "positions are being closed: natya positions\n",
        {"schema": 1, "begun": True},
        complaint="natya: positions are being closed, but a restart would not know of it yet: no space\n",
    ),
    Row(
        "flatten --all",
        ("busy",),
        ((FLATTENER, Flatten(person="trader"), 10),),
        "",
        None,
        code=1,
        complaint="natya: nothing is being closed: busy\n",
    ),
    Row(
        "cancel --all",
        (OrdersCancelling(client_order_ids=()),),
        ((ORDERS, CancelOrders(everything=True, person="trader"), 10),),
        "0 orders being cancelled\n",
        {"schema": 1, "client_order_ids": [], "not_open": []},
    ),
    Row(
        "cancel mine-1 mine-2",
        (OrdersCancelling(client_order_ids=("mine-1",), not_open=("mine-2",)),),
        ((ORDERS, CancelOrders(client_order_ids=("mine-1", "mine-2"), person="trader"), 10),),
        "1 order being cancelled\n  mine-1\n",
        {"schema": 1, "client_order_ids": ["mine-1"], "not_open": ["mine-2"]},
        code=1,
        complaint="natya: not open: mine-2\n",
    ),
    Row(
        "cancel --strategy mine",
        (OrdersCancelling(client_order_ids=("mine-1", "mine-2")),),
        ((ORDERS, CancelOrders(strategy="mine", person="trader"), 10),),
        "2 orders being cancelled\n  mine-1\n  mine-2\n",
        {"schema": 1, "client_order_ids": ["mine-1", "mine-2"], "not_open": []},
    ),
    Row(
        "cancel --symbol TCS",
        (OrdersCancelling(client_order_ids=(), problem="the journal is read back"),),
        ((ORDERS, CancelOrders(symbol="TCS", person="trader"), 10),),
        "",
        None,
        code=1,
        complaint="natya: the journal is read back\n",
    ),
    Row(
        "order settle mine-1 --reason seen --absent",
        (OrderSettled(state="REJECTED", filled=0),),
        ((ORDERS, SettleOrder(client_order_id="mine-1", filled=0, reason="seen", person="trader"), 10),),
        "mine-1 is REJECTED, 0 filled\n",
        {"schema": 1, "client_order_id": "mine-1", "state": "REJECTED", "filled": 0},
    ),
    Row(
        "order settle mine-1 --reason seen --filled 5 --price 99.5",
        (OrderSettled(state="FILLED", filled=5),),
        ((ORDERS, SettleOrder(client_order_id="mine-1", filled=5, price=99.5, reason="seen", person="trader"), 10),),
        "mine-1 is FILLED, 5 filled\n",
        {"schema": 1, "client_order_id": "mine-1", "state": "FILLED", "filled": 5},
    ),
    Row(
        "order settle mine-1 --reason seen --absent",
        (SettleRefused(reason="it is not in doubt"),),
        ((ORDERS, SettleOrder(client_order_id="mine-1", filled=0, reason="seen", person="trader"), 10),),
        "",
        None,
        code=1,
        complaint="natya: nothing changed: it is not in doubt\n",
    ),
    Row(
        "position settle INFY --shares -3 --price 99.5 --reason seen",
        (PositionSettled(client_order_ids=("a-st1-1", "b-st1-1")),),
        ((ORDERS, SettlePosition(symbol="INFY", shares=-3, price=99.5, reason="seen", person="trader"), 10),),
        "INFY: -3 shares, as the broker has; closed in the book by 2 orders: a-st1-1 b-st1-1\n",
        {"schema": 1, "symbol": "INFY", "shares": -3, "client_order_ids": ["a-st1-1", "b-st1-1"]},
    ),
    Row(
        "position settle INFY --shares 0 --price 99.5 --reason seen",
        (SettleRefused(reason="the books agree"),),
        ((ORDERS, SettlePosition(symbol="INFY", shares=0, price=99.5, reason="seen", person="trader"), 10),),
        "",
        None,
        code=1,
        complaint="natya: nothing changed: the books agree\n",
    ),
    Row(
        "risk set position_max=60 --confirm position_max=60 --reason more",
        (LimitsInForce(changes=(RISE,)),),
        (
            (
                ORDERS,
                ChangeLimits(
                    values={"position_max": "60"}, confirmed={"position_max": "60"}, reason="more", person="trader"
                ),
                15,
            ),
        ),
        "position_max: 50 -> 60, which lets more pass\n",
        {
            "schema": 1,
            "changes": [{"name": "position_max", "before": "50", "after": "60", "loosened": True, "configured": ""}],
        },
    ),
    Row(
        "risk set position_max=60 --reason more",
        (LimitsKept(problems=("position_max=60 once more", "and the others")),),
        ((ORDERS, ChangeLimits(values={"position_max": "60"}, reason="more", person="trader"), 15),),
        "",
        None,
        code=1,
        complaint="natya: nothing is loosened:\nnatya:   position_max=60 once more\nnatya:   and the others\n",
    ),
    Row(
        "reload",
        (SettingsReloaded(changes=(SettingChange(key="log.level", before="info", after="debug"),)),),
        ((SETTINGS, ReloadSettings(), 30),),
        "log.level: info -> debug\n",
        {
            "schema": 1,
            "applied": True,
            "changes": [{"key": "log.level", "before": "info", "after": "debug"}],
            "problems": [],
        },
    ),
    Row(
        "reload --check",
        (SettingsReloaded(changes=(SettingChange(key="log.level", before="info", after="debug"),)),),
        ((SETTINGS, ReloadSettings(check_only=True), 30),),
        "log.level: info -> debug\n",
        {
            "schema": 1,
            "applied": False,
            "changes": [{"key": "log.level", "before": "info", "after": "debug"}],
            "problems": [],
        },
    ),
    Row(
        "reload",
        (SettingsReloaded(changes=()),),
        ((SETTINGS, ReloadSettings(), 30),),
        "no setting has changed\n",
        {"schema": 1, "applied": False, "changes": [], "problems": []},
    ),
    Row(
        "reload",
        (ReloadRefused(problems=("log.level: a level wanted",)),),
        ((SETTINGS, ReloadSettings(), 30),),
        "",
        {"schema": 1, "applied": False, "changes": [], "problems": ["log.level: a level wanted"]},
        code=78,
        complaint="natya: the settings in force stay:\nnatya: log.level: a level wanted\n",
    ),
    Row(
        "strategies list",
        (
            StrategiesListed(
                strategies=(SHOWN, msgspec.structs.replace(SHOWN, name="other", has_state=True, error="KeyError"))
            ),
        ),
        ((STRATEGIES, ListStrategies(), 5),),
        (
            "name   strategy   state    host  restarts  keeps a state  last error\n"
            "mine   mine:Mine  RUNNING  loop         2  no\n"
            "other  mine:Mine  RUNNING  loop         2  yes            KeyError\n"
        ),
        {
            "schema": 1,
            "strategies": [
                {
                    "name": "mine",
                    "strategy": "mine:Mine",
                    "state": "RUNNING",
                    "host": "loop",
                    "restarts": 2,
                    "has_state": False,
                    "error": "",
                },
                {
                    "name": "other",
                    "strategy": "mine:Mine",
                    "state": "RUNNING",
                    "host": "loop",
                    "restarts": 2,
                    "has_state": True,
                    "error": "KeyError",
                },
            ],
        },
    ),
    Row(
        "strategies start mine",
        (CHANGED,),
        ((STRATEGIES, StartStrategy(name="mine"), 60),),
        "mine runs: mine:Mine\n",
        {
            "schema": 1,
            "name": "mine",
            "strategy": "mine:Mine",
            "modules": ["mine", "its"],
            "handed_over": 2000,
            "conflated": 1,
        },
    ),
    Row(
        "strategies stop mine",
        (CHANGED,),
        ((STRATEGIES, StopStrategy(name="mine"), 60),),
        "mine is stopped\n",
        {
            "schema": 1,
            "name": "mine",
            "strategy": "mine:Mine",
            "modules": ["mine", "its"],
            "handed_over": 2000,
            "conflated": 1,
        },
    ),
    Row(
        "strategies reload mine",
        (CHANGED,),
        ((STRATEGIES, ReloadStrategy(name="mine"), 60),),
        "mine goes on; changed: mine, its; handed over: 2,000 messages that came between, left out: 1 older price\n",
        {
            "schema": 1,
            "name": "mine",
            "strategy": "mine:Mine",
            "modules": ["mine", "its"],
            "handed_over": 2000,
            "conflated": 1,
        },
    ),
    Row(
        "strategies reload mine",
        (msgspec.structs.replace(CHANGED, modules=(), handed_over=0, conflated=2),),
        ((STRATEGIES, ReloadStrategy(name="mine"), 60),),
        "mine goes on; changed: nothing; handed over: 0 messages that came between, left out: 2 older prices\n",
        {"schema": 1, "name": "mine", "strategy": "mine:Mine", "modules": [], "handed_over": 0, "conflated": 2},
    ),
    Row(
        "strategies swap mine mine:Mine",
        (msgspec.structs.replace(CHANGED, handed_over=1, conflated=0),),
        ((STRATEGIES, SwapStrategy(name="mine", strategy="mine:Mine"), 60),),
        "mine goes on as mine:Mine; handed over: 1 message that came between\n",
        {
            "schema": 1,
            "name": "mine",
            "strategy": "mine:Mine",
            "modules": ["mine", "its"],
            "handed_over": 1,
            "conflated": 0,
        },
    ),
    Row(
        "strategies swap mine mine:Mine",
        (msgspec.structs.replace(CHANGED, handed_over=0, conflated=0),),
        ((STRATEGIES, SwapStrategy(name="mine", strategy="mine:Mine"), 60),),
        "mine goes on as mine:Mine\n",
        {
            "schema": 1,
            "name": "mine",
            "strategy": "mine:Mine",
            "modules": ["mine", "its"],
            "handed_over": 0,
            "conflated": 0,
        },
    ),
    Row(
        "strategies start mine",
        (NOT_CHANGED,),
        ((STRATEGIES, StartStrategy(name="mine"), 60),),
        "",
        None,
        code=1,
        complaint="natya: nothing was changed: mine: no such class\n",
    ),
    Row(
        "strategies stop mine",
        (NOT_CHANGED,),
        ((STRATEGIES, StopStrategy(name="mine"), 60),),
        "",
        None,
        code=1,
        complaint="natya: nothing was changed: mine: no such class\n",
    ),
    Row(
        "strategies reload mine",
        (NOT_CHANGED,),
        ((STRATEGIES, ReloadStrategy(name="mine"), 60),),
        "",
        None,
        code=1,
        complaint="natya: nothing was changed: mine: no such class\n",
    ),
    Row(
        "strategies swap mine mine:Mine",
        (NOT_CHANGED,),
        ((STRATEGIES, SwapStrategy(name="mine", strategy="mine:Mine"), 60),),
        "",
        None,
        code=1,
        complaint="natya: nothing was changed: mine: no such class\n",
    ),
    Row(
        "broker status",
        (
            tree(BROKER_TOKENS, BROKER_UPDATES),
            ALIVE,
            tree(BROKER_TOKENS, BROKER_UPDATES),
            Pong(actor=BROKER_UPDATES, statistics=UPDATES),
        ),
        (TREE, (BROKER_TOKENS, ShowToken(), 60), TREE, (BROKER_UPDATES, Ping(), 5)),
        (
            "the access token is alive\n"
            "good until 2026-09-21 19:43:20 IST\n"
            "order updates come since 2026-09-21 19:43:20 IST\n"
            "updates: 40, of orders without a client's id: 3, refused: 4; connections: 2, failed attempts: 1\n"
        ),
        {
            "schema": 1,
            "state": "alive",
            "ends_ns": NOON_NS,
            "attempts": 0,
            "wait_s": 0.0,
            "can_log_in": True,
            "reason": "",
            "taken": [],
            "updates": {
                "connected": True,
                "since_ns": NOON_NS,
                "connections": 2,
                "failures": 1,
                "updates": 40,
                "without_id": 3,
                "ignored": 0,
                "refused": 4,
                "reason": "",
            },
        },
    ),
    Row(
        "broker status",
        (
            tree(BROKER_TOKENS, BROKER_UPDATES),
            ALIVE,
            tree(BROKER_TOKENS, BROKER_UPDATES),
            Pong(
                actor=BROKER_UPDATES,
                statistics=msgspec.structs.replace(UPDATES, connected=False, since_ns=0, reason="refused"),
            ),
        ),
        (TREE, (BROKER_TOKENS, ShowToken(), 60), TREE, (BROKER_UPDATES, Ping(), 5)),
        (
            "the access token is alive\n"
            "good until 2026-09-21 19:43:20 IST\n"
            "no order updates: refused\n"
            "updates: 40, of orders without a client's id: 3, refused: 4; connections: 2, failed attempts: 1\n"
        ),
        {
            "schema": 1,
            "state": "alive",
            "ends_ns": NOON_NS,
            "attempts": 0,
            "wait_s": 0.0,
            "can_log_in": True,
            "reason": "",
            "taken": [],
            "updates": {
                "connected": False,
                "since_ns": 0,
                "connections": 2,
                "failures": 1,
                "updates": 40,
                "without_id": 3,
                "ignored": 0,
                "refused": 4,
                "reason": "refused",
            },
        },
    ),
    Row(
        "broker status",
        (tree(BROKER_TOKENS), DEAD, tree(BROKER_TOKENS)),
        (TREE, (BROKER_TOKENS, ShowToken(), 60), TREE),
        (
            "there is no access token that is alive\n"
            "attempts: 2\n"
            "the next attempt may be made in 90 s\n"
            "the last one failed: a wrong PIN\n"
            "no PIN and secret of one-time codes in the settings\n"
            "no order updates: open orders are looked at alone\n"
        ),
        {
            "schema": 1,
            "state": "dead",
            "ends_ns": 0,
            "attempts": 2,
            "wait_s": 90.4,
            "can_log_in": False,
            "reason": "a wrong PIN",
            "taken": [],
            "updates": None,
        },
    ),
    Row(
        "broker login",
        (tree(BROKER_TOKENS), ALIVE),
        (TREE, (BROKER_TOKENS, LogIn(), 60)),
        "the access token is alive\ngood until 2026-09-21 19:43:20 IST\n",
        {
            "schema": 1,
            "state": "alive",
            "ends_ns": NOON_NS,
            "attempts": 0,
            "wait_s": 0.0,
            "can_log_in": True,
            "reason": "",
            "taken": [],
        },
    ),
    Row(
        "broker login",
        (tree(BROKER_TOKENS), DEAD),
        (TREE, (BROKER_TOKENS, LogIn(), 60)),
        (
            "there is no access token that is alive\n"
            "attempts: 2\n"
            "the next attempt may be made in 90 s\n"
            "the last one failed: a wrong PIN\n"
            "no PIN and secret of one-time codes in the settings\n"
        ),
        {
            "schema": 1,
            "state": "dead",
            "ends_ns": 0,
            "attempts": 2,
            "wait_s": 90.4,
            "can_log_in": False,
            "reason": "a wrong PIN",
            "taken": [],
        },
        code=1,
    ),
    Row(
        "broker renew",
        (tree(BROKER_TOKENS), msgspec.structs.replace(ALIVE, reason="it is too young")),
        (TREE, (BROKER_TOKENS, RenewToken(), 60)),
        "the access token is alive\ngood until 2026-09-21 19:43:20 IST\nthe last one failed: it is too young\n",
        {
            "schema": 1,
            "state": "alive",
            "ends_ns": NOON_NS,
            "attempts": 0,
            "wait_s": 0.0,
            "can_log_in": True,
            "reason": "it is too young",
            "taken": [],
        },
        code=1,
    ),
    Row(
        "broker renew",
        (tree(BROKER_TOKENS), "busy"),
        (TREE, (BROKER_TOKENS, RenewToken(), 60)),
        "",
        None,
        code=1,
        complaint="natya: the running system did not say how its access token stands: busy\n",
    ),
    Row(
        "broker renew",
        (tree(ORDERS),),
        (TREE,),
        "",
        None,
        code=1,
        complaint="natya: the running system keeps no access token: it trades on paper, or on another machine\n",
    ),
    Row(
        "alarms",
        (
            AlarmsShown(
                alarms=(
                    Alarm(rule="disk_full", subject="", severity="critical", text="the disk is full", since_ns=NOON_NS),
                    Alarm(rule="late", subject="", severity="warning", text="it is late", since_ns=NOON_NS),
                ),
                ways=("webhook", "telegram"),
            ),
        ),
        ((ALARMS, ShowAlarms(), 5),),
        (
            "critical  2026-09-21 19:43:20 IST  the disk is full\n"
            "warning   2026-09-21 19:43:20 IST  it is late\n"
            "told by webhook, telegram\n"
        ),
        {
            "schema": 1,
            "type": "AlarmsShown",
            "alarms": [
                {
                    "type": "Alarm",
                    "rule": "disk_full",
                    "subject": "",
                    "severity": "critical",
                    "text": "the disk is full",
                    "since_ns": NOON_NS,
                },
                {
                    "type": "Alarm",
                    "rule": "late",
                    "subject": "",
                    "severity": "warning",
                    "text": "it is late",
                    "since_ns": NOON_NS,
                },
            ],
            "ways": ["webhook", "telegram"],
        },
    ),
    Row(
        "alarms",
        (AlarmsShown(alarms=(), ways=()),),
        ((ALARMS, ShowAlarms(), 5),),
        "no alarm\ntold by the log alone: see [notifications]\n",
        {"schema": 1, "type": "AlarmsShown", "alarms": [], "ways": []},
    ),
    Row(
        "alarms --test",
        (NotificationsTested(delivered=("webhook", "telegram"), failed=()),),
        ((ALARMS, TestNotifications(), 60),),
        "delivered by webhook, telegram\n",
        {"schema": 1, "type": "NotificationsTested", "delivered": ["webhook", "telegram"], "failed": []},
    ),
    Row(
        "alarms --test",
        (NotificationsTested(delivered=("webhook",), failed=("telegram: 401", "command: 2")),),
        ((ALARMS, TestNotifications(), 60),),
        "delivered by webhook\n",
        {
            "schema": 1,
            "type": "NotificationsTested",
            "delivered": ["webhook"],
            "failed": ["telegram: 401", "command: 2"],
        },
        code=1,
        complaint="natya: telegram: 401\nnatya: command: 2\n",
    ),
    Row(
        "alarms --test",
        (NotificationsTested(delivered=(), failed=("telegram: 401",)),),
        ((ALARMS, TestNotifications(), 60),),
        "",
        {"schema": 1, "type": "NotificationsTested", "delivered": [], "failed": ["telegram: 401"]},
        code=1,
        complaint="natya: telegram: 401\n",
    ),
    Row(
        "alarms --test",
        (NotificationsTested(delivered=(), failed=()),),
        ((ALARMS, TestNotifications(), 60),),
        "",
        None,
        code=1,
        complaint=(
            "natya: no way is named in [notifications]: command, webhook, or telegram_token and telegram_chat\n"
        ),
    ),
    Row(
        "health",
        (HEALTH,),
        ((CONTROL, ReadHealth(), 5),),
        "ready, risk state NORMAL\n  journal  ok\n  feed     degraded: a gap\n",
        {
            "schema": 1,
            "type": "Health",
            "live": True,
            "ready": True,
            "reason": "",
            "risk_state": "NORMAL",
            "components": [
                {"type": "Component", "name": "journal", "state": "ok", "reason": "", "needed": True},
                {"type": "Component", "name": "feed", "state": "degraded", "reason": "a gap", "needed": True},
            ],
        },
    ),
    Row(
        "health",
        (msgspec.structs.replace(HEALTH, ready=False, risk_state="HALTED", reason="it is halted"),),
        ((CONTROL, ReadHealth(), 5),),
        "not ready, risk state HALTED: it is halted\n  journal  ok\n  feed     degraded: a gap\n",
        {
            "schema": 1,
            "type": "Health",
            "live": True,
            "ready": False,
            "reason": "it is halted",
            "risk_state": "HALTED",
            "components": [
                {"type": "Component", "name": "journal", "state": "ok", "reason": "", "needed": True},
                {"type": "Component", "name": "feed", "state": "degraded", "reason": "a gap", "needed": True},
            ],
        },
        code=69,
    ),
    Row(
        "health --live",
        (msgspec.structs.replace(HEALTH, ready=False),),
        ((CONTROL, ReadHealth(), 5),),
        "not ready, risk state NORMAL\n  journal  ok\n  feed     degraded: a gap\n",
        {
            "schema": 1,
            "type": "Health",
            "live": True,
            "ready": False,
            "reason": "",
            "risk_state": "NORMAL",
            "components": [
                {"type": "Component", "name": "journal", "state": "ok", "reason": "", "needed": True},
                {"type": "Component", "name": "feed", "state": "degraded", "reason": "a gap", "needed": True},
            ],
        },
    ),
    Row(
        "health --live",
        (msgspec.structs.replace(HEALTH, ready=False, live=False, risk_state="", components=()),),
        ((CONTROL, ReadHealth(), 5),),
        "not live\n",
        {
            "schema": 1,
            "type": "Health",
            "live": False,
            "ready": False,
            "reason": "",
            "risk_state": "",
            "components": [],
        },
        code=69,
    ),
    Row(
        "metrics",
        (MetricsRead(text="# HELP ticks Ticks.\nticks 5\n"),),
        ((CONTROL, ReadMetrics(), 5),),
        "# HELP ticks Ticks.\nticks 5\n",
        {
            "schema": 1,
            "metrics": [
                {
                    "name": "ticks",
                    "type": "unknown",
                    "help": "Ticks.",
                    "samples": [{"name": "ticks", "labels": {}, "value": 5}],
                }
            ],
        },
    ),
    Row(
        "risk show",
        (RISK,),
        ((ORDERS, ReadRisk(), 5),),
        (
            "HALTED: day_loss\n"
            "limit                of   used     limit  formed of\n"
            "position_max         TCS  799      1,000  shares\n"
            "day_loss_max_rupees       unknown  off    a price is missing\n"
        ),
        {
            "schema": 1,
            "risk_state": "HALTED",
            "risk_cause": "day_loss",
            "figures": [
                {"limit_name": "position_max", "limit": 1000, "found": 799, "formed": "shares", "of": "TCS"},
                {
                    "limit_name": "day_loss_max_rupees",
                    "limit": 0,
                    "found": None,
                    "formed": "a price is missing",
                    "of": "",
                },
            ],
            "as_of_ns": NOON_NS,
        },
    ),
    Row(
        "db check",
        (DatabaseChecked(problems=()),),
        ((DATABASE, CheckDatabase(timeout_s=1_800.0), 1_805),),
        "both files are whole, and nothing in them contradicts\n",
        {"schema": 1, "ok": True, "problems": []},
    ),
    Row(
        "db check --timeout 9",
        (DatabaseChecked(problems=("core: a block is torn", "an order twice")),),
        ((DATABASE, CheckDatabase(timeout_s=9.0), 14),),
        "",
        {"schema": 1, "ok": False, "problems": ["core: a block is torn", "an order twice"]},
        code=65,
        complaint="core: a block is torn\nan order twice\n",
    ),
    Row(
        "events stats",
        (
            delivery(
                replay(),
                replay(replay_id="r2", is_over=False, failed=1, handled=2_000, error="it is gone"),
                dead_letters=1_000,
                oldest_dead_letter_ns=NOON_NS,
            ),
        ),
        ((DELIVERY, Ping(), 5),),
        (
            "published     1,000, 1 of them refused by the journal\n"
            "sent          2, once for each subscriber\n"
            "subscribers   3, and 0 durable ones\n"
            "dead letters  1,000, the oldest of 2026-09-21 19:43:20 IST\n"
            "r1 to billing over: 1 event handled\n"
            "r2 to billing at sequence 1,200: 2,000 events handled, 1 failed: it is gone\n"
        ),
        {
            "schema": 1,
            "published": 1000,
            "refused": 1,
            "sent": 2,
            "subscribers": 3,
            "last_sequence": 9,
            "subscriptions": [],
            "dead_letters": 1000,
            "oldest_dead_letter_ns": NOON_NS,
            "replays": [
                {
                    "replay_id": "r1",
                    "subscription": "billing",
                    "sequence": 1200,
                    "handled": 1,
                    "failed": 0,
                    "is_over": True,
                    "error": "",
                },
                {
                    "replay_id": "r2",
                    "subscription": "billing",
                    "sequence": 1200,
                    "handled": 2000,
                    "failed": 1,
                    "is_over": False,
                    "error": "it is gone",
                },
            ],
        },
    ),
    Row(
        "events stats",
        (delivery(),),
        ((DELIVERY, Ping(), 5),),
        (
            "published     1,000, 1 of them refused by the journal\n"
            "sent          2, once for each subscriber\n"
            "subscribers   3, and 0 durable ones\n"
            "dead letters  0\n"
        ),
        {
            "schema": 1,
            "published": 1000,
            "refused": 1,
            "sent": 2,
            "subscribers": 3,
            "last_sequence": 9,
            "subscriptions": [],
            "dead_letters": 0,
            "oldest_dead_letter_ns": 0,
            "replays": [],
        },
    ),
    Row(
        "events stats",
        (Pong(actor=DELIVERY, statistics=None),),
        ((DELIVERY, Ping(), 5),),
        "",
        None,
        code=1,
        complaint="natya: delivery did not say what it counts: Pong(actor='delivery', statistics=None)\n",
    ),
    Row(
        "events subscriptions",
        (
            delivery(
                subscriptions=(
                    SUBSCRIBED,
                    msgspec.structs.replace(SUBSCRIBED, subscription="other", subscriber="", last_error="KeyError"),
                )
            ),
        ),
        ((DELIVERY, Ping(), 5),),
        (
            "subscription  subscriber  behind  pending  handled  retries  dead letters  breaker  error\n"
            "billing       biller       1,000        2        3        4             6  closed\n"
            "other         (nobody)     1,000        2        3        4             6  closed   KeyError\n"
        ),
        {
            "schema": 1,
            "subscriptions": [
                {
                    "subscription": "billing",
                    "subscriber": "biller",
                    "position": 7,
                    "behind": 1000,
                    "pending": 2,
                    "handled": 3,
                    "retries": 4,
                    "duplicates": 5,
                    "dead_letters": 6,
                    "breaker": "closed",
                    "last_error": "",
                },
                {
                    "subscription": "other",
                    "subscriber": "",
                    "position": 7,
                    "behind": 1000,
                    "pending": 2,
                    "handled": 3,
                    "retries": 4,
                    "duplicates": 5,
                    "dead_letters": 6,
                    "breaker": "closed",
                    "last_error": "KeyError",
                },
            ],
        },
    ),
    Row(
        "events replay billing",
        (ReplayBegun(replay_id="r1"), delivery(replay())),
        ((DELIVERY, ReplayEvents(subscription="billing"), 5), (DELIVERY, Ping(), 5)),
        "r1 to billing over: 1 event handled\n",
        {
            "schema": 1,
            "replay_id": "r1",
            "subscription": "billing",
            "sequence": 1200,
            "handled": 1,
            "failed": 0,
            "is_over": True,
            "error": "",
        },
    ),
    Row(
        "events replay billing --after 1 --until 9 --type A --type B --key a --key b --correlation-id c --pace 2",
        (
            ReplayBegun(replay_id="r1"),
            delivery(replay(is_over=False), replay(replay_id="r0")),
            delivery(replay(failed=1, handled=3)),
        ),
        (
            (
                DELIVERY,
                ReplayEvents(
                    subscription="billing",
                    after_sequence=1,
                    until_sequence=9,
                    event_types=("A", "B"),
                    keys=("a", "b"),
                    correlation_id="c",
                    pace=2.0,
                ),
                5,
            ),
            (DELIVERY, Ping(), 5),
            (DELIVERY, Ping(), 5),
        ),
        "r1 to billing over: 3 events handled, 1 failed\n",
        {
            "schema": 1,
            "replay_id": "r1",
            "subscription": "billing",
            "sequence": 1200,
            "handled": 3,
            "failed": 1,
            "is_over": True,
            "error": "",
        },
        code=1,
    ),
    Row(
        "events replay billing --since-ns 5 --until-ns 7",
        (ReplayBegun(replay_id="r1"), delivery(replay(error="a gap"))),
        ((DELIVERY, ReplayEvents(subscription="billing", since_ns=5, until_ns=7), 5), (DELIVERY, Ping(), 5)),
        "r1 to billing over: 1 event handled: a gap\n",
        {
            "schema": 1,
            "replay_id": "r1",
            "subscription": "billing",
            "sequence": 1200,
            "handled": 1,
            "failed": 0,
            "is_over": True,
            "error": "a gap",
        },
        code=1,
    ),
    Row(
        "events replay billing",
        (ReplayRefused(reason="nobody has it"),),
        ((DELIVERY, ReplayEvents(subscription="billing"), 5),),
        "",
        None,
        code=1,
        complaint="natya: nobody has it\n",
    ),
    Row(
        "events replay billing",
        ("busy",),
        ((DELIVERY, ReplayEvents(subscription="billing"), 5),),
        "",
        None,
        code=1,
        complaint="natya: busy\n",
    ),
    Row(
        "events replay billing",
        (ReplayBegun(replay_id="r1"), delivery(replay(replay_id="r0"))),
        ((DELIVERY, ReplayEvents(subscription="billing"), 5), (DELIVERY, Ping(), 5)),
        "",
        None,
        code=1,
        complaint="natya: delivery was restarted meanwhile: the replay has ended where it was\n",
    ),
    Row(
        "events replay billing",
        (
            ReplayBegun(replay_id="r1"),
            delivery(replay(is_over=False)),
            KeyboardInterrupt(),
            ReplayStopped(status=replay(handled=7)),
        ),
        (
            (DELIVERY, ReplayEvents(subscription="billing"), 5),
            (DELIVERY, Ping(), 5),
            (DELIVERY, Ping(), 5),
            (DELIVERY, StopReplay(replay_id="r1"), 5),
        ),
        "r1 to billing over: 7 events handled\n",
        {
            "schema": 1,
            "replay_id": "r1",
            "subscription": "billing",
            "sequence": 1200,
            "handled": 7,
            "failed": 0,
            "is_over": True,
            "error": "",
        },
    ),
    Row(
        "events replay billing",
        (ReplayBegun(replay_id="r1"), delivery(replay(is_over=False)), KeyboardInterrupt(), ReplayStopped()),
        (
            (DELIVERY, ReplayEvents(subscription="billing"), 5),
            (DELIVERY, Ping(), 5),
            (DELIVERY, Ping(), 5),
            (DELIVERY, StopReplay(replay_id="r1"), 5),
        ),
        "r1 to billing at sequence 1,200: 1 event handled\n",
        {
            "schema": 1,
            "replay_id": "r1",
            "subscription": "billing",
            "sequence": 1200,
            "handled": 1,
            "failed": 0,
            "is_over": False,
            "error": "",
        },
    ),
    Row(
        "events dlq list",
        (DeadLettersListed(letters=(letter(7), letter(8)), requeued=("billing-8",), found=2),),
        ((DELIVERY, ListDeadLetters(rows_max=50), 5),),
        (
            "id                    event    aggregate  attempts  last failed              error\n"
            "billing-7             Weighed  parcel-1          8  2026-09-21 19:44:20 IST  ValueError: -1 g\n"
            "billing-8 (requeued)  Weighed  parcel-1          8  2026-09-21 19:44:20 IST  ValueError: -1 g\n"
        ),
        {
            "schema": 1,
            "found": 2,
            "letters": [
                letter_shown(7),
                letter_shown(8, is_requeued=True),
            ],
        },
    ),
    Row(
        "events dlq list --subscription billing --type Weighed --error OSError --key parcel-1 --after billing-1 -n 1",
        (DeadLettersListed(letters=(letter(7),), found=2_000),),
        (
            (
                DELIVERY,
                ListDeadLetters(
                    subscription="billing",
                    event_type="Weighed",
                    error="OSError",
                    key="parcel-1",
                    after="billing-1",
                    rows_max=1,
                ),
                5,
            ),
        ),
        (
            "id         event    aggregate  attempts  last failed              error\n"
            "billing-7  Weighed  parcel-1          8  2026-09-21 19:44:20 IST  ValueError: -1 g\n"
            "1 of 2,000; those behind them: --after billing-7\n"
        ),
        {
            "schema": 1,
            "found": 2000,
            "letters": [letter_shown(7)],
        },
    ),
    Row(
        "events dlq list",
        (DeadLettersListed(letters=()),),
        ((DELIVERY, ListDeadLetters(rows_max=50), 5),),
        "no dead letters\n",
        {"schema": 1, "found": 0, "letters": []},
    ),
    Row(
        "events dlq show billing-7",
        (DeadLettersListed(letters=(letter(7),), found=1),),
        ((DELIVERY, ListDeadLetters(letter_id="billing-7"), 5),),
        (
            "billing-7: Weighed of parcel-1, sequence 7\n"
            "event id     e7\n"
            "fields       {}\n"
            "attempts     8, from 2026-09-21 19:43:20 IST to 2026-09-21 19:44:20 IST\n"
            "error        ValueError: -1 g\n"
            "where\n"
        ),
        {"schema": 1, **letter_shown(7)},
    ),
    Row(
        "events dlq show billing-7",
        (DeadLettersListed(letters=(letter(7),), requeued=("billing-7",), found=1),),
        ((DELIVERY, ListDeadLetters(letter_id="billing-7"), 5),),
        (
            "billing-7 (requeued): Weighed of parcel-1, sequence 7\n"
            "event id     e7\n"
            "fields       {}\n"
            "attempts     8, from 2026-09-21 19:43:20 IST to 2026-09-21 19:44:20 IST\n"
            "error        ValueError: -1 g\n"
            "where\n"
        ),
        {"schema": 1, **letter_shown(7, is_requeued=True)},
    ),
    Row(
        "events dlq show billing-7",
        (DeadLettersListed(letters=()),),
        ((DELIVERY, ListDeadLetters(letter_id="billing-7"), 5),),
        "",
        None,
        code=1,
        complaint="natya: there is no dead letter 'billing-7'; `natya events dlq list` lists them\n",
    ),
    Row(
        'events dlq edit billing-7 {"grams":5}',
        (DeadLettersListed(letters=(letter(7),), found=1), DeadLettersChangeDone(changed=1)),
        (
            (DELIVERY, ListDeadLetters(letter_id="billing-7"), 5),
            (
                DELIVERY,
                ChangeDeadLetters(
                    letter_ids=("billing-7",), change="requeued", payload=msgspec.msgpack.encode({"grams": 5})
                ),
                5,
            ),
        ),
        "1 dead letter requeued\n",
        {"schema": 1, "changed": 1},
    ),
    Row(
        "events dlq edit billing-7 [5]",
        (),
        (),
        "",
        None,
        code=2,
        complaint=misused(
            "edit", "{letter_id} {fields}", "fields as one JSON object wanted: Expected `object`, got `array`"
        ),
    ),
    Row(
        "events dlq drop billing-7 billing-8 billing-7",
        (DeadLettersChangeDone(changed=1),),
        ((DELIVERY, ChangeDeadLetters(letter_ids=("billing-7", "billing-8", "billing-7"), change="dropped"), 5),),
        "1 dead letter dropped; 1 named that is none, or on the way again already\n",
        {"schema": 1, "changed": 1},
    ),
    Row(
        "events dlq drop billing-7",
        (DeadLettersChangeDone(changed=0, refusal="the journal is full"),),
        ((DELIVERY, ChangeDeadLetters(letter_ids=("billing-7",), change="dropped"), 5),),
        "",
        None,
        code=1,
        complaint="natya: the journal is full\n",
    ),
    Row(
        "events dlq requeue billing-7 billing-8 billing-9",
        (DeadLettersChangeDone(changed=1),),
        ((DELIVERY, ChangeDeadLetters(letter_ids=("billing-7", "billing-8", "billing-9"), change="requeued"), 5),),
        "1 dead letter requeued; 2 named that are none, or on the way again already\n",
        {"schema": 1, "changed": 1},
    ),
    Row(
        "events dlq requeue",
        (),
        (),
        "",
        None,
        code=2,
        complaint=misused("requeue", "[letter_ids]...", WHICH),
    ),
    Row(
        "events dlq requeue billing-7 --all",
        (),
        (),
        "",
        None,
        code=2,
        complaint=misused("requeue", "[letter_ids]...", WHICH),
    ),
    Row(
        "events dlq requeue billing-7 --key a",
        (),
        (),
        "",
        None,
        code=2,
        complaint=misused("requeue", "[letter_ids]...", WHICH),
    ),
    Row(
        "events dlq purge",
        (),
        (),
        "",
        None,
        code=2,
        complaint=misused("purge", "", WHICH_PURGED),
    ),
    Row(
        "events dlq purge --older-days 1000000",
        (DeadLettersListed(letters=(letter(7),), found=1), DeadLettersListed(letters=())),
        (
            (DELIVERY, ListDeadLetters(rows_max=1_000), 5),
            (DELIVERY, ListDeadLetters(after="billing-7", rows_max=1_000), 5),
        ),
        "0 dead letters dropped\n",
        {"schema": 1, "changed": 0},
    ),
)


class Answering:
    """The wire to a system that gives these answers, one after the other."""

    def __init__(self, answers):
        self.asked = []
        self._answers = list(answers)

    def request(self, actor, message, *, timeout_s, correlation_id=""):
        self.asked.append((actor, message, timeout_s))
        answer = self._answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self):
        pass


@pytest.fixture
def run(natya, monkeypatch, tmp_path):
    """Run a command on a system that gives these answers; return its result, and what it asked."""
    monkeypatch.setattr("getpass.getuser", lambda: "trader")
    monkeypatch.setattr("natya.cli.commands.events.replay.LOOK_EVERY_S", 0)

    def run(row, *options):
        wire = Answering(row.answers)
        monkeypatch.setattr("natya.client.connect", lambda *_, **__: Connection(wire))
        return natya(*row.command.split(), "--data-dir", tmp_path, *options), wire.asked

    return run


def named(rows):
    return [pytest.param(row, id=f"{number}-{row.command}") for number, row in enumerate(rows)]


class TestEachCommand:
    @pytest.mark.parametrize("row", named(ROWS))
    def test_asks_for_what_its_options_say_and_tells_the_answer(self, run, row):
        done, asked = run(row)

        assert asked == list(row.asked)
        assert (done.exit_code, [line.rstrip() for line in done.stdout.splitlines()]) == (
            row.code,
            row.told.splitlines(),
        )
        assert done.stderr == row.complaint

    @pytest.mark.parametrize("row", named(ROWS))
    def test_says_the_same_as_one_object_of_json(self, run, row):
        done, asked = run(row, "--json")

        assert asked == list(row.asked)
        assert done.exit_code == row.code
        assert (json.loads(done.stdout) if done.stdout else None) == row.found


class TestDeadLetters:
    @pytest.mark.parametrize(
        ("options", "wanted"),
        [
            ("--subscription billing", {"subscription": "billing"}),
            ("--type Weighed", {"event_type": "Weighed"}),
            ("--error ValueError", {"error": "ValueError"}),
            ("--key parcel-1", {"key": "parcel-1"}),
            ("--all", {}),
        ],
    )
    @pytest.mark.parametrize(("command", "change"), [("requeue", "requeued"), ("purge", "dropped")])
    def test_that_one_option_chooses_are_changed_page_by_page_in_the_order_of_the_journal(
        self, run, options, wanted, command, change
    ):
        pages = (DeadLettersListed(letters=(letter(8), letter(7))), DeadLettersListed(letters=()))
        row = Row(f"events dlq {command} {options}", (*pages, DeadLettersChangeDone(changed=2)), (), "")

        done, asked = run(row)

        first = ListDeadLetters(**wanted, rows_max=1_000)
        assert [message for _, message, _ in asked] == [
            first,
            msgspec.structs.replace(first, after="billing-7"),
            ChangeDeadLetters(letter_ids=("billing-7", "billing-8"), change=change),
        ]
        assert (done.exit_code, done.stdout) == (0, f"2 dead letters {change}\n")
