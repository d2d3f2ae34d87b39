"""A command at a terminal: what it shows is read, and what a person types is written."""

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_SECONDS = 30
CTRL_C = "\x03"


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

    async def answer_hidden(self, question: str, text: str) -> None:
        """Wait for a question whose answer doesn't show, and type it.

        What is typed before the terminal hides it is thrown away (getpass, TCSAFLUSH).
        """
        await self.until(question)
        while termios.tcgetattr(self.handle)[3] & termios.ECHO:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.01)
        self.type(f"{text}\n")

    async def interrupt(self) -> int:
        """Press Ctrl-C as a person does, until the command ends; returns the exit status.

        One press isn't always enough: Python notices a signal that arrives between writing a
        prompt and reading the answer only once something is typed.
        """
        ending = asyncio.create_task(self.end())
        while not ending.done():
            with contextlib.suppress(OSError):  # it has just ended
                self.type(CTRL_C)
            await asyncio.wait([ending], timeout=1)
        return await ending

    def type(self, text: str) -> None:
        os.write(self.handle, text.encode())

    async def end(self) -> int:
        """Read the rest; returns the exit status."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            with contextlib.suppress(OSError):  # how Linux tells that nobody writes any more
                while read := await asyncio.to_thread(os.read, self.handle, 4096):
                    self.shown += read.decode()
            return await self.process.wait()


def _let_ctrl_c_in() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whatever started the tests may ignore it


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
        preexec_fn=_let_ctrl_c_in,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        os.close(ours)
