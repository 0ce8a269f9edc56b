"""A second generator, in C: loadgen.c of the shared bench, if it is there, speaks our protocol by `loadgen.conf`.

loadgen.c has no field that is a UUID, which keys must be; a copy in a scratch folder is given one before it is built.
"""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from benchmarks.loops import Figures
from benchmarks.machine import GENERATOR_CPU, Site
from benchmarks.people import layout

DIALECT: Final = Path(__file__).with_name("loadgen.conf")
_OPEN: Final = "--warm 0.4 --growth 1.4 --bisect 3 --trial 1.5 --drain 8"
# Connection i is in room i % rooms, as person i is.
SCENARIOS: Final = {
    "S1": ("one", f"-n 1000 -r 1 -s 1 --closed all --time 2 --search 250 {_OPEN}"),
    "S2": ("ten", f"-n 1000 -r 100 -s 1000 --closed self --time 2 --search 100 {_OPEN}"),
    "S3": ("idle", "-n 10000 -r 1000 -s 0 --hold 2 --connect-timeout 180 --srcs 3"),
    "S4": ("big", "-n 5000 -r 1 -s 1 --closed all --time 5 --warm 0.5 --connect-timeout 120"),
}
# What is looked for in loadgen.c, and what takes its place.
_EDITS: Final = (
    (
        "} else if (name[0] == 'v' && isdigit",
        """} else if (!strcmp(name, "uuid")) {
                if (moff) uuid_off = n;
                memset(out + n, '-', 36);
                n += 36;
            } else if (name[0] == 'v' && isdigit""",
    ),
    ("static int render(str t,", "static int uuid_off = -1;\nstatic int render(str t,"),
    (
        "    c->msglen = c->mask_at + n;\n",
        "    c->msglen = c->mask_at + n;\n    c->uoff = uuid_off;\n",
    ),
    ("    u32 outstanding;\n", "    u32 outstanding;\n    int uoff;\n"),
    (
        "    u32 ex = room_ready[c->room];\n",
        """    if (c->uoff >= 0) {
        char h[33], *p = c->msg + c->mask_at + c->uoff;
        put_hex(h, (u32)c->id, 8);
        put_hex(h + 8, seq, 8);
        put_hex(h + 16, intended, 16);
        for (int i = 0, k = 0; i < 36; i++) {
            char v = i == 8 || i == 13 || i == 18 || i == 23 ? '-' : h[k++];
            p[i] = d.tcp ? v : (char)((u8)v ^ mask4[(c->uoff + i) & 3]);
        }
    }
    u32 ex = room_ready[c->room];
""",
    ),
)


def build(source: Path, folder: Path) -> Path | None:
    """The program, or None after saying why not."""
    if not source.is_file():
        print(f"{source} is no file: no second opinion", flush=True)
        return None
    text = source.read_text()
    for old, new in _EDITS:
        if text.count(old) != 1:
            print(f"{source} is not the one we know ({old.strip()!r}): no second opinion")
            return None
        text = text.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "loadgen.c").write_text(text)
    program = folder / "loadgen"
    command = ["gcc", "-O2", "-o", str(program), str(folder / "loadgen.c"), "-lz", "-lm"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        print(f"gcc: {built.stderr[-2000:]}\nno second opinion", flush=True)
        return None
    return program


def measure(site: Site, name: str, program: Path, seed: float = 0) -> Figures:
    """One of `SCENARIOS` on a fresh server. `seed`: the rate (messages a second) at which the search begins."""
    server = site.start()
    try:
        rooms, options = SCENARIOS[name]
        cookies, variables = program.with_name("cookies"), program.with_name("vars")
        cookies.write_text("".join(f"{cookie}\n" for cookie in site.people.cookies))
        of_person = {
            person: site.people.rooms[room]
            for room, people in layout().items()
            if room.partition("-")[0] == rooms
            for person in people
        }
        variables.write_text(
            "".join(f"{of_person[each]}\t{site.people.epoch}\n" for each in sorted(of_person))
        )
        command = [
            *("taskset", "-c", str(GENERATOR_CPU), str(program), "--quiet"),
            *("--target", f"127.0.0.1:{server.port}", "--dialect", str(DIALECT)),
            *("--header", f"Origin: {server.url}", "--cookie-file", str(cookies)),
            *("--vars", str(variables), "--pids", ",".join(map(str, site.pids()))),
            *options.split(),
            *(("--rate", f"{seed:.0f}") if seed >= 1 else ()),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        try:
            return figures(name, json.loads(done.stdout))
        except ValueError:
            return {"error": f"loadgen: {done.returncode} {done.stderr[-300:]}"}
    finally:
        site.stop()


def figures(name: str, report: dict[str, Any]) -> Figures:
    """What loadgen reports, named as our own generator names it."""
    connect, steps = report["connect"], report["steps"]
    if name == "S3":
        return {
            "kb_per_connection": connect["rss_per_conn_kb"],
            "joins_per_s": round(connect["rate"]),
            "join_cpu_ms": connect["server_cpu_ms_per_conn"],
            "cut": connect["dropped_while_idle"],
            "report": report,
        }
    first, best = steps[0], report["search"]
    found = {"foreign_cpu": max(step["foreign_cpu"] for step in steps)}
    bad = sum(step["wrong_room"] + step["duplicated"] + step["out_of_order"] for step in steps)
    opened = {
        "open_messages_per_s": best["best_rate"],
        "open_p99_ms": best["p99_ms"],
    }
    if name == "S1":
        found |= {
            "closed_deliveries_per_s": first["deliveries_per_s"],
            "closed_last_p50_ms": first["last_delivery_ms"]["p50"],
            "open_deliveries_per_s": best["best_deliveries_per_s"],
            **opened,
        }
    elif name == "S2":
        found |= {
            "closed_messages_per_s": first["msgs_per_s"],
            "closed_p99_ms": first["latency_ms"]["p99"],
            **opened,
        }
    else:
        found |= {
            "last_p50_ms": first["last_delivery_ms"]["p50"],
            "last_p99_ms": first["last_delivery_ms"]["p99"],
            "deliveries_per_s": first["deliveries_per_s"],
        }
    return {**found, "bad": bad, "ready": connect["ready"], "report": report}
