"""One end of a link: what is taken back of it."""

from natya.actors.nodes.link_end import LinkEnd, frame_of
from natya.messages.codec import decode, encode
from natya.messages.nodes import NothingSaid, Said
from natya.messages.system import Ping


def said(strategy, actor):
    return Said(strategy=strategy, fence=1, actor=actor, message=encode(Ping()))


def test_what_a_strategy_has_said_is_taken_back_and_nothing_of_others_nor_what_its_node_says_of_it():
    link = LinkEnd(own="pune-1", peer="mumbai-1", number=1, waiting_max=9, again_ns=1)
    kept = [said("march", "strategies"), said("waltz", "orders"), NothingSaid()]
    for each in (said("march", "orders"), kept[0], said("march", "journal"), *kept[1:]):
        assert link.say(each)
    link.withdraw("march")
    frame = frame_of(link.due(0))

    assert [decode(letter) for letter in frame.letters] == [NothingSaid(), kept[0], NothingSaid(), *kept[1:]]
