"""What the bots of the crash tests do differently: they report where they could be killed."""

import asyncio
import json
import os
import re
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

from aiohttp import web

import bot.app.bolt
import bot.app.running
import bot.publishing.leisure
from tests.executed_sql import TRANSACTIONS, observe_sql

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

WRITE = re.compile(r"(INSERT INTO|UPDATE|DELETE FROM) (\w+)(?: SET (.*?) WHERE)?", re.DOTALL)
SLOT = re.compile(r"root|welcome|[a-z]+:\d+")


class Reports:
    """Reports each point to the test, and waits for permission to continue."""

    def __init__(self, port: int, generation: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._generation = generation

    def at(self, moment: str, what: str) -> None:
        message = [self._generation, os.getpid(), moment, what]
        self._socket.sendall(json.dumps(message).encode() + b"\n")
        if not self._socket.recv(1):
            os._exit(1)  # the test is over


@contextmanager
def reported_commits(reports: Reports) -> Iterator[None]:
    """Report every writing transaction, before and after its commit."""
    written: WeakKeyDictionary[Any, list[str]] = WeakKeyDictionary()  # by the task that writes

    def note(statement: str, parameters: Any) -> None:
        if found := WRITE.match(statement):
            written.setdefault(asyncio.current_task(), []).append(_named(found, parameters))

    for kind in TRANSACTIONS:
        _report_transactions(kind, reports, lambda: written.pop(asyncio.current_task(), None))
    with observe_sql(note):
        yield


def _report_transactions(
    kind: Any, reports: Reports, written: Callable[[], list[str] | None]
) -> None:
    begin, commit = kind.begin, kind.commit

    async def begun(transaction: Any, *, write: bool) -> None:
        written()  # discards those of a rolled-back transaction
        await begin(transaction, write=write)

    async def committed(transaction: Any) -> None:
        if not (statements := written()):
            await commit(transaction)
            return
        what = f"commit of {', '.join(dict.fromkeys(statements))}"
        reports.at("before", what)
        await commit(transaction)
        reports.at("after", what)

    kind.begin, kind.commit = begun, committed


def _named(found: re.Match[str], parameters: Any) -> str:
    """What a statement writes: the table, a message's slot or the columns, never a value."""
    verb, table, assignments = found.groups()
    values = parameters.values() if isinstance(parameters, dict) else parameters
    slot = next(
        (value for value in values if isinstance(value, str) and SLOT.fullmatch(value)), None
    )
    if slot is None and assignments and table in ("onboarding", "event"):
        names = re.findall(r"(\w+)=", assignments)
        slot = "+".join(names) if len(names) <= 3 else "state"
    return " ".join(filter(None, [verb.split()[0].lower(), table, slot]))


def report_acknowledgements(reports: Reports) -> None:
    """Report every request of Slack's: on arrival, and before and after it is acknowledged."""
    build = vars(bot.app.running)["web_app"]

    @web.middleware
    async def reported(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/slack/events":
            return await handler(request)
        what = _kind(await request.text())
        reports.at("on", f"receiving {what}")
        response = await handler(request)
        reports.at("before", f"acknowledging {what}")
        await response.prepare(request)
        await response.write_eof()
        reports.at("after", f"acknowledging {what}")
        return response

    def watched(*parts: Any, **named: Any) -> web.Application:
        application: web.Application = build(*parts, **named)
        application.middlewares.append(reported)
        return application

    vars(bot.app.running)["web_app"] = watched


def _kind(body: str) -> str:
    if body.startswith("{"):
        inner = json.loads(body).get("event", {})
        return f"event {inner.get('type')} {inner.get('subtype', '')}".strip()
    fields = parse_qs(body)
    if "command" in fields:
        return f"command {fields.get('text', [''])[0].split()[0]}"
    payload = json.loads(fields["payload"][0])
    if payload["type"] == "view_submission":
        return f"form {payload['view']['callback_id']}"
    return f"press {payload['actions'][0]['action_id']}"


@contextmanager
def crash_test(reports_to: int = 0, generation: int = 0) -> Iterator[None]:
    """Have the bot of this process show everything at once, and report every point to a port."""
    bot.publishing.leisure.LONGEST = timedelta(0)  # people here wait until everything is shown
    bot.app.bolt.PRESS_SECONDS = 3.0  # no press is acknowledged before it is stored
    if not reports_to:
        yield
        return
    reports = Reports(reports_to, generation)
    reports.at("on", "starting")
    report_acknowledgements(reports)
    with reported_commits(reports):
        yield
