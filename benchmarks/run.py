"""Every benchmark, each in a process of its own, and one table of all that they found.

    python benchmarks/run.py [--markdown FILE] [bench_actors bench_journal …]

Ends with 1 if one of them could not be run, and says why; not if one missed its target: how fast is for a quiet machine
to say.
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
ENDED_WELL = frozenset({0, 1})
"""Exit codes of a benchmark that has told its figures: 1 if one is beside its target."""

LAST_LINES = 20


def figures_of(benchmark: Path) -> tuple[list[Figure], str]:
    """Run one; what it found, and how it ended if that was not at its end: exit code and last lines of its stderr."""
    with tempfile.TemporaryDirectory() as folder:
        results, said = Path(folder) / "figures", Path(folder) / "stderr"
        results.touch()
        print(f"== {benchmark.stem}", flush=True)
        with said.open("wb") as stderr:  # a file, since what it leaves behind may hold a pipe open for ever
            run = subprocess.run(
                [sys.executable, str(benchmark)], env=os.environ | {RESULTS: str(results)}, stderr=stderr, check=False
            )
        lines = said.read_text(encoding="utf-8", errors="replace").splitlines()
        found = [msgspec.json.decode(line, type=Figure) for line in results.read_bytes().splitlines()]
    if found and run.returncode in ENDED_WELL:
        print("".join(f"{line}\n" for line in lines), end="", file=sys.stderr, flush=True)
        return found, ""
    return found, "\n".join([f"exit code {run.returncode}, {len(found)} figures", *lines[-LAST_LINES:]])


def main(arguments: list[str] | None = None) -> int:
    """Run them, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="by default all of them")
    parser.add_argument("--markdown", type=Path, help="write the table there, too")
    options = parser.parse_args(arguments)
    benchmarks = [HERE / f"{name}.py" for name in options.names] or sorted(HERE.glob("bench_*.py"))
    found: list[Figure] = []
    failed: dict[str, str] = {}
    for benchmark in benchmarks:
        figures, fault = figures_of(benchmark)
        found += figures
        if fault:
            failed[benchmark.stem] = fault
            print(f"{benchmark.stem} did not come to its end: {fault}", file=sys.stderr, flush=True)
    print(f"\n{table(found)}")
    missed = [figure.name for figure in found if not figure.met]
    print(
        f"\n{len(found) - len(missed)} of {len(found)} targets met." + "".join(f"\nMissed: {name}" for name in missed)
    )
    if options.markdown is not None:
        options.markdown.write_text(markdown(found) + "\n", encoding="utf-8")
    for name, fault in failed.items():  # again, below the table: it is far up by now
        print(f"{name} did not come to its end: {fault}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
