"""Runs commands of the bot in forks of a process that has imported them, which saves time.

Run as a script with the path of a Unix socket. Each connection brings one command as a line of
JSON, and gets two lines: its process id, then its exit status. The server ends with its input.
"""

import asyncio
import gc
import json
import os
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from functools import cache
from typing import Any

import bot.app.running
import bot.cli.commands
import bot.cli.doctor
import bot.cli.export.rendering
import bot.cli.run
import storage.guides
import storage.migrate
from bot.app.http_clients import http_client
from bot.cli.main import main as command_line
from bot.guide import parse
from bot.guide.loading import FOLDER, files_in
from tests.crash.reports import crash_test

assert all(
    (
        *(bot.app.running, bot.cli.commands, bot.cli.doctor, bot.cli.export.rendering),
        *(bot.cli.run, storage.migrate),
    )
)


def run(request: dict[str, Any]) -> None:
    """Run a command in this fork; never returns."""
    status = 70
    try:
        os.setsid()
        for descriptor, path in ((1, request["out"]), (2, request["err"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
        os.umask(request["umask"])
        os.chdir(request["directory"])
        os.environ.clear()
        os.environ.update(request["environment"])
        with ExitStack() as stack:
            if "crash_test" in request:
                stack.enter_context(crash_test(**request["crash_test"]))
            command_line.main(request["arguments"], prog_name="python -m bot")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def serve(connection: socket.socket) -> None:
    """Run the command that a connection brings; kill it if the connection closes first."""
    with connection, connection.makefile("rw", encoding="utf-8") as lines:
        request = json.loads(lines.readline())
        child = os.fork()
        if not child:
            run(request)
        threading.Thread(target=kill_with, args=(connection, child), daemon=True).start()
        lines.write(f"{child}\n")
        lines.flush()
        lines.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")


def kill_with(connection: socket.socket, child: int) -> None:
    connection.recv(1)
    os.kill(child, signal.SIGKILL)


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


async def prepare() -> None:
    """Import what is imported late, and read the certificates and the guides for all forks."""
    async with http_client(None):
        vars(storage.guides)["parse"] = cache(parse)
        storage.guides.GuideStore(*files_in(FOLDER))


def main() -> None:
    asyncio.run(prepare())
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(sys.argv[1])
    listening.listen(16)
    print("ready", flush=True)  # noqa: T201
    threading.Thread(target=end_with_input, daemon=True).start()
    while True:
        connection, _ = listening.accept()
        if os.fork():
            connection.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        serve(connection)
        os._exit(0)


if __name__ == "__main__":
    main()
