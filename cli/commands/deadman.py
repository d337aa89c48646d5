"""`natya deadman`: the dead-man's switch, a process of its own beside a running system."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ..journals import journal_of
from ..options import ConfigOption, DataDirOption, JsonOption, ProfileNameOption
from ..session import faults, load, tell_answer
from ..terminal import out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...client.deadman import Account, Book
    from ...config.secrets import Secret
    from ...config.settings import Settings

STEP_S: Final = 1.0


class PolicyName(StrEnum):
    """What the switch does when the system is dead."""

    CANCEL = "cancel"
    HALT = "halt"
    WATCH = "watch"


def command(
    *,
    after: Annotated[
        float, typer.Option("--after", min=1.0, max=3_600, metavar="SECONDS", help="Without a heartbeat: it is dead.")
    ] = 15.0,
    policy: Annotated[
        PolicyName,
        typer.Option(
            help="cancel: halt, cancel its open orders but stops of what is held (kill_switch.keeps_stops), "
            "and see to --loss; halt: put the kill switch on; watch: tell."
        ),
    ] = PolicyName.CANCEL,
    loss: Annotated[
        float | None,
        typer.Option(
            "--loss",
            min=0.0,
            max=1e12,
            metavar="RUPEES",
            help="Of the day, at which the broker itself then closes all; 0: it is not asked to. "
            "Default: orders.day_loss_max_rupees times kill_switch.loss_exit_times.",
        ),
    ] = None,
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    profile: ProfileNameOption = "live",
    json: JsonOption = False,
) -> None:
    """Watch a running system by its heartbeat, and cancel its open orders when it is dead or stuck; until Ctrl-C.

    The heartbeat stands still where orders or the journal do not answer, the process hangs, or it was killed. Then the
    kill switch is put on, and orders of the system that are open are cancelled over a connection of this process, but
    stops that only make smaller what is held. It lets go as soon as the heart beats again. What is held stays: the
    broker is asked to close it at a loss of the day.
    Run it as a service of its own, with the settings of the system (--config), and the broker's token among them.
    """
    from ...client.deadman import Deadman
    from ...config.files import make_own_folder
    from ...config.halt_file import HaltFile, halt_paths
    from ...config.heartbeat import DEADMAN_NAME, HEARTBEAT_NAME, Heartbeat

    given = {} if data_dir is None else {"system.data_dir": str(data_dir)}
    settings = load(profile, given, config=config).settings
    folder = Path(settings.system.data_dir)
    leaving = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: leaving.set())

    def say(text: str) -> None:
        told = {"told_ns": time.time_ns(), "told": text}
        with contextlib.suppress(OSError):  # the disk that its output goes to may be full, and there is work to do
            tell_answer(told, f"{time.strftime('%H:%M:%S')} {text}", json=json)
            out().flush()

    own = Heartbeat(folder / DEADMAN_NAME)
    with faults(), _account(settings) as account:
        make_own_folder(folder)
        with contextlib.suppress(OSError):  # it watches all the same; each beat tries again
            own.begin(pid=os.getpid())
        deadman = Deadman(
            Heartbeat(folder / HEARTBEAT_NAME),
            HaltFile(*halt_paths(settings)),
            account,
            find_book=functools.partial(_book_of, settings, say),
            monotonic_ns=time.monotonic_ns,
            after_s=after,
            policy=policy.value,
            keeps_stops=settings.kill_switch.keeps_stops,
            loss_rupees=_loss_of(settings) if loss is None else loss,
            tell=say,
        )
        while not leaving.is_set():
            deadman.step()
            with contextlib.suppress(OSError):  # the system itself says that it stands still
                own.beat(trouble=deadman.trouble)
            leaving.wait(STEP_S)
        with contextlib.suppress(OSError):
            own.end()


def _loss_of(settings: Settings) -> float:
    """Return the loss at which the settings want all to be closed by the broker; 0: at none."""
    from ...config.sections.kill_switch import loss_exit_rupees

    return loss_exit_rupees(settings.orders.day_loss_max_rupees, settings.kill_switch.loss_exit_times)


@contextlib.contextmanager
def _account(settings: Settings) -> Iterator[Account]:
    """Connect to the account for a dead-man's switch: with the token of the settings, later with the newest.

    That is what a person has stored since, or the system has had of the broker by itself.
    """
    from ...actors.broker.adapters import BrokerCredentials, DhanBrokerAdapter
    from ...client.dhan_account import DhanAccount

    of, data_dir = settings.broker, Path(settings.system.data_dir)
    credentials = BrokerCredentials(client_id=of.client_id, access_token=of.access_token)
    with DhanBrokerAdapter(of.client_id, of.access_token, base_url=of.base_url) as broker:
        yield DhanAccount(broker, credentials, newest=lambda: newest_token(data_dir))


def newest_token(data_dir: Path) -> Secret | None:
    """Read the access token that came last to a data directory; None: there is none, or it cannot be read."""
    from ...config.secret_files import SecretUnfitError
    from ...config.secret_folder import OBTAINED_TOKEN, SecretFolder

    try:
        return SecretFolder(data_dir).newest_of(OBTAINED_TOKEN, "broker.access_token")
    except SecretUnfitError:
        return None


def _book_of(settings: Settings, say: Callable[[str], object]) -> Book | None:
    """Return what the system's journal says; None where it cannot be read."""
    from ...actors.journal import JournalError
    from ...actors.orders import OrdersError, book_of

    try:
        return book_of(journal_of(settings).find())
    except (JournalError, OrdersError, OSError, typer.Exit) as fault:
        say(f"the journal cannot be read, so every order with a client order id is taken for the system's: {fault}")
        return None
