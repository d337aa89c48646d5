"""Every benchmark, each in a process of its own, and one table of all that they found.

    python benchmarks/run.py [--markdown FILE] [bench_actors bench_journal …]

Ends with 1 if one of them could not be run, not if one missed its target: how fast is for a quiet machine to say.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
from figures import RESULTS, Figure, markdown, table

HERE = Path(__file__).parent


def figures_of(benchmark: Path) -> tuple[list[Figure], bool]:
    """Run one; what it found, and whether it came to its end."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "figures"
        results.touch()
        print(f"== {benchmark.stem}", flush=True)
        run = subprocess.run([sys.executable, str(benchmark)], env=os.environ | {RESULTS: str(results)}, check=False)
        found = [msgspec.json.decode(line, type=Figure) for line in results.read_bytes().splitlines()]
    return found, bool(found) and run.returncode in {0, 1}


def main(arguments: list[str] | None = None) -> int:
    """Run them, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="by default all of them")
    parser.add_argument("--markdown", type=Path, help="write the table there, too")
    options = parser.parse_args(arguments)
    benchmarks = [HERE / f"{name}.py" for name in options.names] or sorted(HERE.glob("bench_*.py"))
    found: list[Figure] = []
    failed: list[str] = []
    for benchmark in benchmarks:
        figures, ended = figures_of(benchmark)
        found += figures
        failed += [] if ended else [benchmark.stem]
    print(f"\n{table(found)}")
    missed = [figure.name for figure in found if not figure.met]
    print(
        f"\n{len(found) - len(missed)} of {len(found)} targets met." + "".join(f"\nMissed: {name}" for name in missed)
    )
    if options.markdown is not None:
        options.markdown.write_text(markdown(found) + "\n", encoding="utf-8")
    for name in failed:
        print(f"{name} did not come to its end", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
