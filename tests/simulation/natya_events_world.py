"""Durable delivery in a simulation: publishers, subscribers, dead letters and replays, while everything crashes.

Journal, router, delivery and the listeners are the real ones. What is outside of the system lasts through every crash
and power cut: what the publishers still have to publish, and which effects the subscribers had.
"""

from collections import Counter, defaultdict, deque
from random import Random

import msgspec
from natya_seeds import PAPER

import natya
from natya.actors.events import DeliveryActor, DeliverySettings, EventsActor, EventsSettings
from natya.actors.events.bus.listener import DurableListener, DurableListenerSettings
from natya.actors.journal import JournalActor
from natya.actors.journal.tools import verify
from natya.actors.runtime import RuntimeActor, handles
from natya.actors.supervision import ChildSpec, StopChildren, Supervisor, SupervisorSettings
from natya.composition import DELIVERED
from natya.domain.events.catalog import EventCatalog, write
from natya.domain.events.dead_letters import DeadLetterBook
from natya.messages.addresses import DELIVERY, EVENTS, JOURNAL
from natya.messages.addresses import SYSTEM as ROOT
from natya.messages.delivery import (
    ChangeDeadLetters,
    DeadLettersChanged,
    DeadLettersListed,
    DeliveryTerms,
    EventDeadLettered,
    EventPublished,
    EventsPublished,
    EventsSubscribed,
    EventsUnsubscribed,
    ListDeadLetters,
    PublishEvents,
    SubscribeDurably,
    UnsubscribeEvents,
)
from natya.messages.events import Subscribe
from natya.messages.replays import ReplayBegun, ReplayEvents, StopReplay
from natya.messages.supervision import DescribeTree, Failed, SupervisionTree
from natya.messages.system import Ping, Pong
from natya.testing.scenario import Scenario, scenario_of
from natya.testing.world import LOOK_EVERY_S, SETTLE_S, START_S, WITNESS, NotSettledError, World

EVENTS_PATH = (
    "delivery LoadDue",
    "delivery OutcomeArrived",
    "delivery Journaled",
    "delivery PublishEvents",
    "delivery SubscribeDurably",
    "delivery UnsubscribeEvents",
    "delivery PumpDue",
    "delivery ChangeDeadLetters",
    "delivery ListDeadLetters",
    "delivery ReplayEvents",
    "events Journaled",
    "journal Append",
    "journal ReadJournal",
    "durable-steady DeliverEvents",
    "durable-steady OutcomeArrived",
)
"""Whose turn with which message: the process is killed in each of them."""

SUBSCRIPTIONS = ("steady", "moody", "late")
KEYS = 4
UNREADABLE = b"\xc1"
UNANSWERED = frozenset({"RequestTimedOut", "SimulatedCrashError"})
"""Errors of an attempt that the handler has not told of: it may go on, on its thread, and handle the event yet."""

ANSWER_S = 5.0
PAGE = 7


class Counted(natya.DomainEvent, frozen=True, kw_only=True):
    """The n-th of a publisher."""

    number: int


class Due(msgspec.Struct, frozen=True):
    """To oneself: do the next thing."""


class PublisherOfWorld(RuntimeActor):
    """Publishes what the world has, until it is acknowledged; after a crash again, with the same ids."""

    def on_start(self):
        self.after_on_machine(self.random.uniform(0.001, 0.1), Due())

    @handles(Due)
    def publish(self, due, _sender):
        world = self.settings
        batch = world.next_of(self.name, self.random)
        if batch:
            message = PublishEvents(events=tuple(batch))
            self.ask(DELIVERY, message, timeout_s=ANSWER_S, then=lambda outcome: self._note(batch, outcome.value))
        self.after_on_machine(self.random.uniform(0.001, 0.1), due)

    def _note(self, batch, answer):
        if isinstance(answer, EventsPublished):
            self.settings.acknowledged(self.name, batch, answer.first_sequence)


class Back(msgspec.Struct, frozen=True):
    """To the person: that subscriber is to be served again."""

    name: str


class PersonOfWorld(RuntimeActor):
    """Requeues, edits and drops dead letters, begins replays, and takes a subscriber away for a while."""

    def on_start(self):
        self.after_on_machine(self.random.uniform(0.1, 2.0), Due())

    @handles(Due)
    def act(self, due, _sender):
        if self.settings.is_busy:
            self.random.choice((self._look, self._look, self._replay, self._detach))()
            self.after_on_machine(self.random.uniform(0.05, 2.0), due)

    def _look(self):
        wanted = ListDeadLetters(rows_max=PAGE, subscription=self.random.choice(("", *SUBSCRIPTIONS)))
        self.ask(DELIVERY, wanted, timeout_s=ANSWER_S, then=self._decide)

    def _decide(self, outcome):
        if not isinstance(outcome.value, DeadLettersListed) or not outcome.value.letters:
            return
        letters = self.random.sample(outcome.value.letters, self.random.randint(1, len(outcome.value.letters)))
        change = self.random.choice(("requeued", "requeued", "dropped"))
        payload = None
        if change == "requeued" and len(letters) == 1 and self.random.random() < 0.5:
            payload = msgspec.msgpack.encode({"number": 0})
        request = ChangeDeadLetters(
            letter_ids=tuple(each.letter_id for each in letters), change=change, payload=payload
        )
        self.ask(DELIVERY, request, timeout_s=ANSWER_S, then=lambda _: None)

    def _replay(self):
        wanted = ReplayEvents(subscription=self.random.choice(SUBSCRIPTIONS), pace=self.random.choice((0.0, 1.0)))
        self.ask(DELIVERY, wanted, timeout_s=ANSWER_S, then=lambda _: None)

    def _detach(self):
        """Have one served no more; who is told nothing subscribes again when it is looked for."""
        name = self.random.choice(SUBSCRIPTIONS)
        self.send(DELIVERY, UnsubscribeEvents(subscriber=f"durable-{name}"))
        self.after_on_machine(self.random.uniform(0.01, 1.0), Back(name))

    @handles(Back)
    def give_back(self, back, _sender):
        self.send(DELIVERY, self.settings.wanted_of(back.name))

    @handles(EventsSubscribed, EventsUnsubscribed, Failed)
    def hear(self, _answer, _sender):
        """Go on: what becomes of it is looked at in the end."""


class ListenerOfWorld(DurableListener):
    """Tells the world when it was subscribed."""

    world = None

    def _take_answer(self, outcome):
        if isinstance(outcome.value, EventsSubscribed):
            self.world.subscribed(outcome.value.subscriber.removeprefix("durable-"))
        super()._take_answer(outcome)

    def _call_again(self, *given):
        self.world.is_replaying = True
        try:
            return super()._call_again(*given)
        finally:
            self.world.is_replaying = False


class EventsWorld(World):
    """One seed's run."""

    def __init__(self, seed: int, scenario: Scenario | None = None):
        super().__init__(seed, scenario or an_events_scenario(seed))
        chance = Random(f"{seed}/events")
        self.is_busy = True
        self.is_poisonous = True
        self.terms = {name: _terms(chance) for name in SUBSCRIPTIONS}
        self.settings = DeliverySettings(
            retry_s=0.1, append_s=2.0, keep_s=chance.choice((0.0, 0.2)), letters_max=chance.choice((3, 100_000))
        )
        self.left = {f"publisher-{number}": chance.randint(20, 60) for number in range(chance.randint(1, 2))}
        """How many events each is still to make."""

        self.outbox = {name: deque() for name in self.left}
        self.made_ns = {}
        self.acks = {}
        """Sequence by event id."""

        self.since_ns = {}
        """When each subscription was there for the first time."""

        self.effects = {name: {} for name in SUBSCRIPTIONS}
        """By event id, when: the first time."""

        self.tries = Counter()
        self.replayed = defaultdict(list)
        self.is_replaying = False
        self.poison = {name: chance.choice((0.0, 0.05, 0.2)) for name in SUBSCRIPTIONS}
        self.poison["steady"] = 0.0
        self.listed = None

    # What is outside of the system.

    def next_of(self, publisher, random):
        """Return what is to be published next: now and then what is on its way already."""
        waiting = self.outbox[publisher]
        if self.left[publisher] and len(waiting) < 20:
            for _ in range(min(self.left[publisher], random.randint(1, 3))):
                number = self.left[publisher]
                self.left[publisher] -= 1
                event = write(
                    Counted(
                        aggregate_id=f"key-{random.randrange(KEYS)}", number=number, event_id=f"{publisher}-{number}"
                    )
                )
                if random.random() < 0.03:
                    event = msgspec.structs.replace(event, payload=UNREADABLE)
                self.made_ns[event.event_id] = self.clock.monotonic_ns()
                waiting.append(event)
        count = random.randint(1, 4)
        return list(waiting)[:count]

    def acknowledged(self, publisher, batch, first_sequence):
        for number, event in enumerate(batch):
            self.acks.setdefault(event.event_id, first_sequence + number)
        self.outbox[publisher] = deque(each for each in self.outbox[publisher] if each.event_id not in self.acks)

    def subscribed(self, name):
        self.since_ns.setdefault(name, self.clock.monotonic_ns())

    def wanted_of(self, name):
        return SubscribeDurably(
            subscription=name,
            subscriber=f"durable-{name}",
            event_types=("Counted",),
            begins="now" if name == "late" else "oldest",
            terms=self.terms[name],
        )

    def handler_of(self, name):
        def handle(event):
            if self.is_replaying:
                self.replayed[name].append(event.event_id)
                return
            if event.event_id in self.effects[name]:
                return
            self.tries[name] += 1
            rate = self.poison[name] if self.is_poisonous else 0.0
            if event.number and Random(f"{self.seed}/{name}/{event.event_id}").random() < rate:
                raise ValueError("poison")
            if name == "moody" and self.is_poisonous and self.tries[name] % 7 == 0:
                raise ConnectionError("now and then")
            self.effects[name][event.event_id] = self.clock.now_ns()

        return handle

    # How it is played.

    def run(self):
        for cut_s in self.scenario.power_cuts:
            self._live(cut_s)
            self._cut_power()
        self._live(None)
        return self

    def _cut_power(self):
        troubles = self.disk.troubles
        self.disk = self.disk.crash(self.chance)
        self.disk.troubles = troubles

    def _play_to_the_end(self, system):
        base = self._base_of(system)
        system.start(ROOT, Supervisor, self._root(), timeout_s=START_S)
        base.run_for(self.scenario.settings.feed.duration_s)
        base.injector.active = False
        self.disk.troubles = []
        self.is_busy = False
        base.run_for(LOOK_EVERY_S)
        for name in SUBSCRIPTIONS:  # whom the person has taken away
            self._give_back(system, name)
        self._settle(system)
        self.listed = self._letters(system)
        self.settled_ns, self.settled_sequence = self.clock.now_ns(), len(self.records())
        self._heal(system)
        self._replay_all(system)
        system.request(ROOT, StopChildren(), timeout_s=200.0)
        system.stop(ROOT)

    def _give_back(self, system, name):
        """Have one served again; delivery may be behind an open breaker still."""
        answer = None
        for _ in range(int(SETTLE_S / LOOK_EVERY_S)):
            answer = self._ask(system, DELIVERY, self.wanted_of(name))
            if isinstance(answer, EventsSubscribed):
                return
            self._base_of(system).run_for(LOOK_EVERY_S)
        raise NotSettledError(f"{name} is not served: {answer}")

    def _settle(self, system):
        wanted, base = "", self._base_of(system)
        for _ in range(int(SETTLE_S / LOOK_EVERY_S)):
            base.run_for(LOOK_EVERY_S)
            wanted = self._unsettled(system)
            if not wanted:
                return
        raise NotSettledError(wanted)

    def _unsettled(self, system):
        tree = self._ask(system, ROOT, DescribeTree())
        if not isinstance(tree, SupervisionTree):
            return f"the tree does not answer: {tree}"
        for node in tree.children:
            if node.state != "RUNNING" or node.breaker != "closed":
                return f"{node.path} is {node.state}, its breaker {node.breaker}: {node.last_error}"
        pong = self._ask(system, DELIVERY, Ping())
        if not isinstance(pong, Pong):
            return f"delivery does not answer: {pong}"
        self.statistics = {DELIVERY: pong.statistics}
        return self._behind(system)

    def _behind(self, system):
        if any(self.left.values()) or any(self.outbox.values()):
            return f"not yet published: {self.left}, {self.outbox}"
        subscriptions = self.statistics[DELIVERY].subscriptions
        for each in subscriptions:
            if each.behind or each.pending or not each.subscriber:
                return f"{each}"
        if len(subscriptions) != len(SUBSCRIPTIONS):
            return f"{len(subscriptions)} subscriptions"
        requeued = self._letters(system).requeued
        return f"still on their way: {requeued}" if requeued else ""

    def _letters(self, system):
        letters = requeued = ()
        after = ""
        while True:
            page = system.request(DELIVERY, ListDeadLetters(after=after, rows_max=1_000), timeout_s=ANSWER_S)
            letters += page.letters
            requeued += page.requeued
            if len(letters) >= page.found:
                return DeadLettersListed(letters=letters, requeued=requeued, found=page.found)
            after = page.letters[-1].letter_id

    def _heal(self, system):
        """Nothing is poison any more, and every dead letter is requeued."""
        self.is_poisonous = False
        ids = tuple(each.letter_id for each in self.listed.letters)
        self.healed = system.request(DELIVERY, ChangeDeadLetters(letter_ids=ids, change="requeued"), timeout_s=ANSWER_S)
        self._settle(system)
        self.listed_after, self.records_at_end = self._letters(system), self.records()

    def _replay_all(self, system):
        for each in self.statistics[DELIVERY].replays:  # of the person: they have a pace
            system.request(DELIVERY, StopReplay(replay_id=each.replay_id), timeout_s=ANSWER_S)
        self._base_of(system).run_for(LOOK_EVERY_S)  # what is handed over when a replay is stopped is handled still
        self.replayed.clear()
        begun = system.request(DELIVERY, ReplayEvents(subscription="steady"), timeout_s=ANSWER_S)
        while isinstance(begun, ReplayBegun):
            self._base_of(system).run_for(LOOK_EVERY_S)
            statuses = system.request(DELIVERY, Ping(), timeout_s=ANSWER_S).statistics.replays
            self.replay = next(each for each in statuses if each.replay_id == begun.replay_id)
            if self.replay.is_over:
                break
        else:
            raise NotSettledError(f"no replay: {begun}")

    def _root(self):
        settings = self.scenario.settings
        journal = type("SimulatedJournal", (JournalActor,), {"disk": self.disk})
        listener = type("Listener", (ListenerOfWorld,), {"world": self})
        heard = (DELIVERED, Subscribe(subscriber=WITNESS, topics=("journal",)))
        catalog = EventCatalog((Counted,))
        specs = (
            ChildSpec(JOURNAL, journal, settings.journal),
            ChildSpec(EVENTS, EventsActor, EventsSettings(subscriptions=heard)),
            ChildSpec(DELIVERY, DeliveryActor, self.settings),
            *(
                ChildSpec(
                    f"durable-{name}",
                    listener,
                    DurableListenerSettings(
                        handler=self.handler_of(name), catalog=catalog, wanted=self.wanted_of(name)
                    ),
                )
                for name in SUBSCRIPTIONS
            ),
            *(ChildSpec(name, PublisherOfWorld, self) for name in self.left),
            ChildSpec("person", PersonOfWorld, self),
        )
        return SupervisorSettings(
            children=specs, policy=settings.supervision, root=True, shutdown_s=settings.system.shutdown_s
        )

    # What must hold.

    def violations(self):
        records = self.records()
        report = verify(self.journal_path, self.disk)
        found = []
        if report.records != len(records) or [each.sequence for each in records] != list(range(1, len(records) + 1)):
            found.append(f"the journal verifies {report.records} records, and gives {len(records)}")
        found += self._of_publishers(records)
        for name in SUBSCRIPTIONS:
            found += self._of_subscription(name, records)
        return [*found, *self._of_letters(), *self._of_replay()]

    def _of_publishers(self, records):
        first = first_sequences(records)
        for event_id in self.made_ns:
            if event_id not in first:
                yield f"{event_id} was acknowledged, and is not in the journal"
        by_sequence = {each.sequence: each.fact for each in records}
        for event_id, sequence in self.acks.items():
            fact = by_sequence.get(sequence)
            if not isinstance(fact, EventPublished) or fact.event_id != event_id:
                yield f"{event_id} was acknowledged as {sequence}, which is {fact}"

    def _of_subscription(self, name, records):
        """Each event has its effect, or is a dead letter, or was given up by a person; those of a key in order."""
        published = {each.fact.event_id: each.fact for each in records if isinstance(each.fact, EventPublished)}
        deaths = [
            each for each in records if isinstance(each.fact, EventDeadLettered) and each.fact.subscription == name
        ]
        letters = [each for each in self.listed.letters if each.subscription == name]
        yield from self._of_effects(name, published, deaths, {each.event.event_id for each in letters})
        if name != "late":  # of one that begins late the first may be a repeat of what was published before
            yield from self._of_order(name, records, {each.fact.event.event_id for each in deaths})
        newest = {each.fact.letter_id: each for each in deaths if each.sequence <= self.settled_sequence}
        for letter in letters:
            had_ns = self.effects[name].get(letter.event.event_id, 0)
            is_late = letter.error in UNANSWERED
            if newest[letter.letter_id].recorded_ns < had_ns < self.settled_ns and not is_late:
                yield f"{name}: {letter.letter_id} is a dead letter, and was handled later"

    def _of_effects(self, name, published, deaths, lettered):
        removed = {
            letter_id
            for each in self.records_at_end
            if isinstance(each.fact, DeadLettersChanged) and each.fact.change in {"dropped", "expired"}
            for letter_id in each.fact.letter_ids
        }
        given_up = {each.fact.event.event_id for each in deaths if each.fact.letter_id in removed}
        for event_id, made_ns in self.made_ns.items():
            is_before = name == "late" and made_ns < self.since_ns[name]
            if event_id in self.effects[name] or event_id in given_up or is_before:
                continue
            if event_id not in lettered:
                yield f"{name}: {event_id} had no effect, and is no dead letter"
            elif published[event_id].payload != UNREADABLE:
                yield f"{name}: {event_id} had no effect when it was requeued"

    def _of_order(self, name, records, died):
        first, by_key = first_sequences(records), defaultdict(list)
        keys = {each.sequence: each.fact.aggregate_id for each in records if isinstance(each.fact, EventPublished)}
        for event_id in self.effects[name]:  # in the order in which they were had
            if event_id not in died:
                by_key[keys[first[event_id]]].append(first[event_id])
        for key, sequences in by_key.items():
            if sequences != sorted(sequences):
                yield f"{name}: {key} had its effects in the order {sequences}"

    def _of_letters(self):
        book = DeadLetterBook()
        for record in self.records_at_end:
            book.apply(record.fact)
        told = {each.letter_id for each in self.listed_after.letters}
        in_journal = {each.letter_id for each in book.find(ListDeadLetters(rows_max=1_000)).letters}
        if told != in_journal:
            yield f"delivery has the dead letters {sorted(told ^ in_journal)} otherwise than the journal"
        if self.healed.changed != len(self.listed.letters):
            yield f"{self.healed} of {len(self.listed.letters)} dead letters"
        for letter in self.listed_after.letters:
            if letter.error != "EventUndecodableError":
                yield f"{letter.letter_id} is still a dead letter: {letter.error} {letter.reason}"

    def _of_replay(self):
        wanted = [
            each.fact.event_id
            for each in self.records_at_end
            if isinstance(each.fact, EventPublished) and each.fact.payload != UNREADABLE
        ]
        if self.replayed["steady"] != wanted:
            yield f"replayed {len(self.replayed['steady'])} of {len(wanted)}: {self.replay}"


def first_sequences(records):
    first = {}
    for record in records:
        if isinstance(record.fact, EventPublished):
            first.setdefault(record.fact.event_id, record.sequence)
    return first


def an_events_scenario(seed: int) -> Scenario:
    """Everything that may go wrong; of four seeds three are killed in a step."""
    scenario = scenario_of(seed, PAPER)
    chance = Random(f"{seed}/cuts")
    turn, is_plain = seed - seed // 4, seed % 4 == 3
    duration_s = chance.uniform(2.0, 20.0)
    replace = msgspec.structs.replace
    return replace(
        scenario,
        settings=replace(scenario.settings, feed=replace(scenario.settings.feed, duration_s=duration_s)),
        faults=replace(scenario.faults, wall_step=0.0),
        cut_at_step="" if is_plain else EVENTS_PATH[turn % len(EVENTS_PATH)],
        power_cuts=tuple(chance.uniform(0.1, duration_s) for _ in scenario.power_cuts) if is_plain else (duration_s,),
        halts=(),
    )


def _terms(chance: Random) -> DeliveryTerms:
    return DeliveryTerms(
        partitions=chance.choice((1, 3, 8)),
        batch_max=chance.choice((1, 3, 100)),
        linger_s=chance.choice((0.0, 0.0, 0.2)),
        attempts_max=chance.choice((2, 4, 8)),
        retry_first_s=chance.choice((0.01, 0.5)),
        retry_max_s=chance.choice((0.5, 5.0)),
        handling_s=chance.choice((0.5, 5.0)),
        pending_max=chance.choice((5, 50, 2_000)),
        window_max=chance.choice((100, 10_000)),
        fail_max=chance.choice((2, 5)),
        reset_s=chance.choice((0.1, 2.0)),
    )
