"""How many examples a rule gets that costs a database's work, a part of what the profile draws, or money, a multiple.

So `make explore` draws more of these, too: a number in a test would hold there as well.
"""

from hypothesis import settings

FULL = settings.default.max_examples
DOUBLE = FULL * 2
HALF = FULL // 2
QUARTER = FULL // 4
