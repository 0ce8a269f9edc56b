"""Measures files: the memory and the loop of a server that takes a large one, and pictures a second.

    .venv/bin/python -m benchmarks.uploads [MEGABYTES] [PICTURES]

One real server on SQLite, and clients in this process. Memory is the server's own resident memory, without its image
worker, above what it was before; the loop is asked by `GET /up` every 10 ms, and its 99th percentile is told beside
that of an idle server. Pictures are photos of 12 megapixels and screenshots, four at a time.
"""

import asyncio
import contextlib
import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
from PIL import Image, ImageFilter

from tests.support import run_folder
from tests.support.chat_server import ChatServer

MB: Final = 1024 * 1024
PIECE: Final = 64 * 1024
EACH_MS: Final = 10
AT_ONCE: Final = 4


def memory(pid: int) -> float:
    """Resident, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def worker_seconds(pid: int) -> float:
    """Of CPU, that the server's image worker has used: unlike the time, it does not hang on what else runs here."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if b"chatapp.files.worker" not in (stat.parent / "cmdline").read_bytes():
                continue
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


class Watch:
    """What a server is like while something goes on."""

    def __init__(self, server: ChatServer) -> None:
        self._server = server
        self.most = 0.0
        self.waits: list[float] = []

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self._server.url, timeout=60) as client:
            while True:
                started = time.perf_counter()
                await client.get("/up")
                self.waits.append((time.perf_counter() - started) * 1000)
                self.most = max(self.most, memory(self._server.pid))
                await asyncio.sleep(EACH_MS / 1000)

    def told(self) -> str:
        parts = statistics.quantiles(self.waits, n=100)
        return f"/up {parts[49]:.1f} ms median, {parts[98]:.1f} ms p99, of {len(self.waits)}"


async def watched(server: ChatServer, work: Any) -> Watch:
    watch = Watch(server)
    task = asyncio.create_task(watch.run())
    await work
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return watch


async def pieces(size: int) -> AsyncIterator[bytes]:
    piece = bytes(range(256)) * (PIECE // 256)
    for _ in range(size // PIECE):
        yield piece


async def ann(server: ChatServer) -> tuple[httpx.AsyncClient, str]:
    """Somebody signed in, and the address of their room."""
    client = httpx.AsyncClient(base_url=server.url, timeout=600, headers={"Origin": server.url})
    form = {"name": "Ann Archer", "email": "ann@people.example", "password": "correct horse"}
    assert (await client.post("/sign-up", data=form)).status_code == 303
    answer = await client.post("/rooms", data={"name": "Lab", "topic": ""})
    return client, answer.headers["location"]


async def send(client: httpx.AsyncClient, room: str, name: str, content: Any) -> dict[str, Any]:
    answer = await client.post(
        f"{room}/files",
        params={"name": name},
        content=content,
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


def photo() -> bytes:
    """Twelve megapixels with the detail of a photo."""
    noise = Image.effect_noise((4000, 3000), 90).filter(ImageFilter.GaussianBlur(3))
    other = noise.rotate(180)
    image = Image.merge("RGB", (noise, other, noise.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue()


def screenshot() -> bytes:
    image = Image.new("RGB", (1920, 1080), (250, 250, 250))
    for n in range(200):
        image.paste((n, 40, 255 - n), (20 + n * 4, 10 + n * 5, 320 + n * 4, 22 + n * 5))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


async def pictures(client: httpx.AsyncClient, room: str, data: bytes, count: int) -> float:
    """So many a second."""
    left = iter(range(count))

    async def one() -> None:
        for n in left:
            assert (await send(client, room, f"{n}.jpg", data))["kind"] == "picture"

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(AT_ONCE)))
    return count / (time.perf_counter() - started)


async def main(megabytes: int, count: int) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        server = ChatServer(
            Path(folder),
            UPLOAD_MB=str(megabytes + 1),
            UPLOAD_QUOTA_MB="0",
            DISK_FLOOR_MB="0",
            LIMIT_FACTOR="1000",
            LOG_LEVEL="WARNING",
        )
        server.start()
        try:
            client, room = await ann(server)
            await send(client, room, "warm.bin", bytes(MB))
            idle = await watched(server, asyncio.sleep(5))
            before = memory(server.pid)
            print(f"idle: {before:.0f} MB, {idle.told()}")
            started = time.perf_counter()
            busy = await watched(server, send(client, room, "large.bin", pieces(megabytes * MB)))
            seconds = time.perf_counter() - started
            print(
                f"{megabytes} MB in {seconds:.1f} s ({megabytes / seconds:.0f} MB/s): "
                f"{busy.most - before:+.1f} MB of memory at most, {busy.told()}"
            )
            for name, data in (("photos", photo()), ("screenshots", screenshot())):
                await send(client, room, "warm.jpg", data)
                rate: list[float] = []

                async def work(data: bytes = data, rate: list[float] = rate) -> None:
                    rate.append(await pictures(client, room, data, count))

                used = worker_seconds(server.pid)
                busy = await watched(server, work())
                used = (worker_seconds(server.pid) - used) / count * 1000
                print(
                    f"{count} {name} of {len(data) / MB:.1f} MB: {rate[0]:.1f} a second ({used:.0f} ms CPU each), "
                    f"{busy.most - before:+.1f} MB of memory at most, {busy.told()}"
                )
            await client.aclose()
        finally:
            server.close()


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:3]]
    scratch = run_folder.make()
    try:
        asyncio.run(main(*given, *(1024, 100)[len(given) :]))
    finally:
        run_folder.remove(scratch)
