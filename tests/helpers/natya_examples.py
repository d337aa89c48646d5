"""How many examples a rule gets where one of them costs a database's work: a part of what the profile draws.

So `make explore` draws more of these, too: a number in a test would hold there as well.
"""

from hypothesis import settings

HALF = settings.default.max_examples // 2
QUARTER = settings.default.max_examples // 4
