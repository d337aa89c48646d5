"""The blocks of the document of the infrastructure layer, by heading."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[1] / "contracts" / "infrastructure_layer.md"
BLOCK = re.compile(r"^### (?P<heading>[^\n]*)\n```python\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)


def blocks():
    """The code of each block by its heading, the root of its imports changed."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return {found["heading"]: found["code"].replace("src.infrastructure", "natya") for found in BLOCK.finditer(text)}
