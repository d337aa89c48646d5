"""A bracket: an entry whose fills are closed by a target or by a stop, whichever trades first (pure).

The entry is an order like any other. Its exits are orders of their own, of which one cancels the other. What is to be
done now is said from nothing but the orders as their facts describe them (`next_steps`). So it may be asked again at
any time, after a restart too: what was done already is not wanted again, and as each order's id is known before, none
is sent twice.

The problem is that two orders close one position. If both fill, the position is turned round. So each exit is for what
the other has left, and made smaller with each fill of the other before anything else; what trades within that flight
cannot be helped (an order of the broker's own, which links both, has no such gap), nor what trades while nobody is
there. What exits have traded beyond what was there is counted, as long as it is held (`surplus`), and given back by a
MARKET order of the entry's side once no exit can trade any more. And the first exit that trades ends the entry: what
would still come in would have an exit that is gone.

legs        which exits there are, in which order, and what the id of each says
exits       what became of one of them, and who had it cancelled
bracket     a bracket as it stands: what is held, what nothing has closed, what an exit may close
by_others   what others close of it than its exits
overnight   which exits come back on the next day, and when
resting     target and stop: when each is placed, for how many shares, when it is changed
at_market   when what is held is closed at the market instead, and what was too much given back
guarding    whether what is held has the exits that it should have: what a person is told of
steps       what a step is: an exit is placed, changed or cancelled
next_steps  which steps are to be taken now, of all of these

When a step that did not come about is taken again is up to who takes them: `actors/orders/parts/bracketing/`.
"""
