"""A command at a terminal: what it shows is read, and what a person types is written."""

import asyncio
import contextlib
import fcntl
import os
import pty
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_SECONDS = 30


@dataclass
class Terminal:
    """A running command and all that its terminal has shown."""

    process: asyncio.subprocess.Process
    handle: int
    shown: str = ""
    _read: int = field(default=0)

    async def until(self, text: str) -> None:
        """Wait until it shows `text`, after what was waited for before."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while text not in self.shown[self._read :]:
                self.shown += (await asyncio.to_thread(os.read, self.handle, 4096)).decode()
        self._read = self.shown.index(text, self._read) + len(text)

    async def answer(self, question: str, text: str) -> None:
        """Wait for a question, and type an answer."""
        await self.until(question)
        self.type(f"{text}\n")

    def type(self, text: str) -> None:
        os.write(self.handle, text.encode())

    async def end(self) -> int:
        """Read the rest; returns the exit status."""
        with contextlib.suppress(OSError):  # how Linux tells that nobody writes any more
            while read := await asyncio.to_thread(os.read, self.handle, 4096):
                self.shown += read.decode()
        return await self.process.wait()


@asynccontextmanager
async def terminal(
    command: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> AsyncIterator[Terminal]:
    """Run a command in `directory`, with a terminal of its own."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=directory,
        env=dict(environment),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that Ctrl-C reaches it
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        os.close(ours)
