"""Import and export of market data files, through the owner of the database: `importing.py`, `exporting.py`."""

from .exporting import Exported, export
from .importing import Imported, import_file

__all__ = ["Exported", "Imported", "export", "import_file"]
