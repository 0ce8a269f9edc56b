"""Peers of the shared bench in the same run: raw C, `ws` on node, and the plain way to do it in Starlette.

`bench.py` of the shared bench runs them, out of a copy in a scratch folder; nothing is written to where it came from.
What a peer lacks (node's `ws` from the registry, say) leaves that peer out and is said.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from benchmarks.second_opinion import figures

PEERS: Final = ("raw-c", "raw-c-batch", "node-ws", "starlette-websockets-sansio")
_SECONDS: Final = 1800
# It waits for a quiet machine, for hours if need be. Ours is told in `foreign_cpu` how quiet it was.
_EDITS: Final = (("limit=600", "limit=10"), ("--noise 0.06 ", ""), ("range(4)", "range(1)"))


def prepare(bench: Path, folder: Path) -> list[str]:
    """Copies the bench and sets up what the peers need. Returns those that can run."""
    if not (bench / "bench.py").exists():
        print(f"{bench}/bench.py is missing: no peers", flush=True)
        return []
    shutil.copytree(bench, folder / "bench", ignore=shutil.ignore_patterns(".env"))
    script = folder / "bench/bench.py"
    text = script.read_text()
    for old, new in _EDITS:
        text = text.replace(old, new)
    script.write_text(text)
    env = folder / "env"
    built = subprocess.run(
        ["sh", str(folder / "bench/setup.sh"), "c"],
        env={**os.environ, "BENCH_ENV": str(env)},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        print(f"setup.sh c: {built.stderr[-1000:]}\nno peers", flush=True)
        return []
    found = [peer for peer in PEERS if peer.startswith("raw-c")]
    (env / "node/package.json").write_text("{}")
    node = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(env / "node"), "ws"]
    if subprocess.run(node, capture_output=True, check=False).returncode == 0:
        found.append("node-ws")
    else:
        print("npm cannot install ws: node-ws is left out", flush=True)
    # Starlette, uvicorn and uvloop are ours: the peer runs on the versions that chatapp runs on.
    (env / "venv/bin").mkdir(parents=True)
    python = env / "venv/bin/python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return [*found, "starlette-websockets-sansio"]


def measure(
    folder: Path, peers: list[str], scenarios: list[str], runs: int
) -> list[dict[str, Any]]:
    """A row for each peer, scenario and run, named like our own."""
    wanted = [name for name in scenarios if name in {"S1", "S2", "S3", "S4"}]
    out = folder / "peers.jsonl"
    command = [
        *(sys.executable, str(folder / "bench/bench.py"), "--env", str(folder / "env")),
        *("--runs", str(runs), "--scenarios", ",".join(wanted), "--out", str(out), *peers),
    ]
    subprocess.run(command, timeout=_SECONDS, check=False)
    rows = []
    for line in out.read_text().splitlines() if out.exists() else []:
        report = json.loads(line)
        row = {"what": report["peer"], "scenario": report["scenario"], "run": report["run"]}
        if "error" in report:
            rows.append({**row, "error": report["error"]})
        else:
            rows.append({**row, **figures(report["scenario"], report)})
    return rows
