"""Loads the real server as many people would, and prints what it bears.

    .venv/bin/python -m benchmarks.load [S1 S2 S3 S4 ack …] [--databases sqlite,postgresql] [--runs 3]
        [--json FILE] [--loadgen ../shared/bench/loadgen/loadgen.c] [--peers]

Server and database on CPU 0, the generator on CPU 1, all traffic on 127.0.0.1. Prints the median and (least-most) of
the runs and writes all figures to `.cache/load.json`. `foreign_cpu` says how much of a CPU other programs used
meanwhile: more than 0.1 and the figures are too low.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import peers, second_opinion
from benchmarks.machine import GENERATOR_CPU, Site, pinned
from benchmarks.scenarios import SCENARIOS, measure
from tests.support import run_folder

LOADGEN = Path("../shared/bench/loadgen/loadgen.c")
Row = dict[str, Any]


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.load")
    parser.add_argument("scenarios", nargs="*", help=f"of {', '.join(SCENARIOS)}; all without")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, default=Path(".cache/load.json"))
    parser.add_argument(
        "--loadgen", type=Path, default=LOADGEN, help="a second generator; - for none"
    )
    parser.add_argument("--peers", action="store_true", help="other servers too, by ../bench.py")
    found = parser.parse_args(given)
    found.scenarios = found.scenarios or list(SCENARIOS)
    for name in found.scenarios:
        if name not in SCENARIOS:
            parser.error(f"there is no scenario {name}")
    return found


def run(options: argparse.Namespace, folder: Path, rows: list[Row]) -> None:
    program = second_opinion.build(options.loadgen, folder / "loadgen")
    for kind in filter(None, options.databases.split(",")):
        site = Site(kind, folder / kind)
        try:
            for number in range(options.runs):
                for name in options.scenarios:
                    add(options, rows, kind, name, number, partial(measure, site, name))
                    if program and name in second_opinion.SCENARIOS:
                        seed = 0.8 * rows[-1].get("open_messages_per_s", 0)
                        second = partial(second_opinion.measure, site, name, program, seed)
                        add(options, rows, f"{kind}/loadgen", name, number, second)
        finally:
            site.close()
    if options.peers:
        found = peers.prepare(options.loadgen.resolve().parents[1], folder / "peers")
        if found:
            rows += peers.measure(folder / "peers", found, options.scenarios, options.runs)
            save(options.json, rows)


def add(
    options: argparse.Namespace,
    rows: list[Row],
    what: str,
    name: str,
    number: int,
    work: Callable[[], Row],
) -> None:
    """One run; one that fails says so and does not end the others."""
    try:
        found = work()
    except (OSError, AssertionError) as error:
        found = {"error": f"{type(error).__name__}: {error}"[:500]}
    rows.append({"what": what, "scenario": name, "run": number, **found})
    print(brief(rows[-1]), flush=True)
    save(options.json, rows)


def brief(row: Row) -> str:
    return "  ".join(f"{k}={v}" for k, v in row.items() if not isinstance(v, dict | list))


def save(file: Path, rows: list[Row]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows, indent=1))


def table(rows: list[Row]) -> str:
    """A line for each figure: median (least-most) for each database or peer."""
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    kinds = list(dict.fromkeys(row["what"] for row in rows))
    for row in rows:
        for name, value in row.items():
            if isinstance(value, int | float) and name not in {"run", "seconds"}:
                figures = found.setdefault((row["scenario"], name), {})
                figures.setdefault(row["what"], []).append(value)
    lines = [f"{'':<34}" + "".join(f"{kind:>28}" for kind in kinds)]
    for (scenario, name), figures in found.items():
        cells = (f"{spread(figures.get(kind, [])):>28}" for kind in kinds)
        lines.append(f"{scenario:<11}{name:<29}" + "".join(cells))
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    if not values:
        return "-"
    middle = statistics.median(values)
    return f"{_short(middle)} ({_short(min(values))}-{_short(max(values))})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.4g}"


def main(given: list[str]) -> int:
    options = arguments(given)
    rows: list[Row] = []
    folder = run_folder.make()
    try:
        if (os.cpu_count() or 1) > GENERATOR_CPU:
            with pinned(GENERATOR_CPU):
                run(options, folder, rows)
        else:
            run(options, folder, rows)
    finally:
        run_folder.remove(folder)
        if rows:
            print(table(rows))
    return int(any("error" in row for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
