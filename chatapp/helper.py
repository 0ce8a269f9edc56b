"""A process of its own for what must not happen in ours, such as decoding what strangers made. Its side: `confined.py`.

1. One thing at a time; the others wait in line.
2. Whatever it does to the process (too much memory or time, a crash) ends the process and not us: the answer is `None`,
   and the next one gets a new process.
"""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[1]


class Helper:
    """Owner of the process, which starts when it is first asked. `seconds`: by the clock, for one thing."""

    def __init__(self, module: str, seconds: float) -> None:
        self._module = module
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def ask(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        async with self._turn:
            try:
                async with asyncio.timeout(self._seconds):
                    line = await self._ask(json.dumps(asked).encode() + b"\n")
                answer: dict[str, Any] = json.loads(line)
            except (TimeoutError, ValueError, OSError):
                await self._end()
                return None
            except (
                BaseException
            ):  # whoever asked has gone: the answer must not be taken for the next one's
                await self._end()
                raise
        return answer

    async def _ask(self, line: bytes) -> bytes:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", self._module),
                stdin=PIPE,
                stdout=PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd="/",
                env={"PYTHONPATH": str(_ROOT), "PATH": os.defpath},
            )
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101  both are pipes
        assert stdout is not None  # noqa: S101
        stdin.write(line)
        await stdin.drain()
        return await stdout.readline()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def close(self) -> None:
        await self._end()
