"""The world's modules stand beside the tests; `make sim` imports them in the same way."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
