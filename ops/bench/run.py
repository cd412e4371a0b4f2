#!/usr/bin/env python3
"""Run the project's benchmarks and write bench.json. Called by `make bench [NAME=verify]`.

Each `bench_*.py` beside this file gives benchmarks: `BENCHES`, which maps a name to a function, or, without it, every public
function of its own that takes nothing and is not called main, under the function's name. Such a function measures ours and theirs
in turns and returns {"ours", "theirs", "ratio", "target", "unit", "against"}: medians in `unit`, the ratio the issue asks for as
`target`, and what `theirs` is in a few words. The name is added here.
"""

import importlib.util
import inspect
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
RESULT = HERE.parents[1] / "bench.json"
FIELDS = ("name", "ours", "theirs", "ratio", "target", "unit", "against")

Bench = Callable[[], Mapping[str, object]]


class BadBenchError(Exception):
    """A benchmark module, or what one returned, is not as this runner's first lines ask."""


def _given(module: ModuleType) -> dict[str, Bench]:
    listed: dict[str, Bench] | None = getattr(module, "BENCHES", None)
    if listed is not None:
        return listed
    own = {name: each for name, each in vars(module).items() if inspect.isfunction(each) and each.__module__ == module.__name__}
    return {
        name: each for name, each in own.items() if not name.startswith("_") and name != "main" and not inspect.signature(each).parameters
    }


def load(folder: Path = HERE) -> dict[str, Bench]:
    """Return every benchmark by name, in the order of the files. Raises BadBenchError when two share a name."""
    benches: dict[str, Bench] = {}
    for path in sorted(folder.glob("bench_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        if spec is None or spec.loader is None:
            raise BadBenchError(path.name)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        for name, bench in _given(module).items():
            if name in benches:
                raise BadBenchError(name)
            benches[name] = bench
    return benches


def measure(name: str, *, bench: Bench) -> dict[str, object]:
    """Run one benchmark and return its row. Raises BadBenchError when a field is missing or foreign."""
    row = {"name": name, **bench()}
    if set(row) != set(FIELDS):
        message = f"{name} returned {sorted(row)}, and {sorted(FIELDS)} are asked"
        raise BadBenchError(message)
    return {field: row[field] for field in FIELDS}


def _figure(value: object) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def table(rows: list[dict[str, object]]) -> str:
    """Return the rows as lined-up columns."""
    cells = [list(FIELDS), *([_figure(row[field]) for field in FIELDS] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(FIELDS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all; write bench.json and print the table. 2 for an unknown name."""
    benches = load()
    unknown = [name for name in arguments if name not in benches]
    if unknown:
        sys.stderr.write(f"bench: no benchmark is called {', '.join(unknown)}; there are {', '.join(sorted(benches))}\n")
        return 2
    rows = []
    for name in arguments or benches:
        started = time.monotonic()
        sys.stdout.write(f"bench: {name} …\n")
        sys.stdout.flush()
        rows.append(measure(name, bench=benches[name]))
        sys.stdout.write(f"bench: {name} took {time.monotonic() - started:.0f} s\n")
    RESULT.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(f"\n{table(rows)}\n\n{RESULT.name} written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
