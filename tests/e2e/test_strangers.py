"""Strangers on the real process's port: what they send costs them more than it costs us."""

import asyncio
import encodings.aliases
import gzip
import os
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from sandbox.bot_process import BotProcess
from sandbox.slack.signing import signed_headers
from tests.databases import ON_SQLITE, AnyDatabase
from tests.e2e.staging import Staged, staging
from tests.e2e.test_stopping import started

LARGEST = 256 * 1024
AT_ONCE = 1.5  # seconds of the bot's own work; Slack waits three for the answer
HALF_OPEN = 300
FEW_DESCRIPTORS = (
    "-c",
    "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); "
    "sys.argv[1:] = ['run']; runpy.run_module('bot', run_name='__main__')",
)
OTHERS = ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined", "mbcs"]
CODECS = sorted({*encodings.aliases.aliases.values(), *OTHERS})
HALF = {
    "nothing": b"",
    "half a line": b"POST /slack/ev",
    "half the headers": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nX-Slack-Signa",
    "half a body": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000\r\n"
    b"X-Slack-Signature: v0=0\r\nX-Slack-Request-Timestamp: %d\r\n\r\npayload",
    "half a chunk": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n"
    b"X-Slack-Signature: v0=0\r\nX-Slack-Request-Timestamp: %d\r\n\r\n1000\r\nabc",
    "the body of a page": b"GET /healthz HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000\r\n\r\nabc",
    "half of the next": b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\nGET /hea",
}
TIMESTAMPS = [
    *("", " ", "nan", "inf", "-inf", "1e9999", "1e9", "-1", "0", "+1700000000", "1_700_000_000"),
    *(
        "0x65",
        "1700000000.5",
        "1700000000 ",
        "١٧٠٠٠٠٠٠٠٠",
        "１７００００００００",
        "9" * 5000,
        "\x7f",
    ),
]
NOT_HTTP = {
    "nothing of the kind": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "a header with a NUL": b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    "a huge header": b"GET / HTTP/1.1\r\nHost: " + b"a" * 70_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length that is none": b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "a chunk without a length": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\n"
    b"X-Slack-Signature: v0=0\r\nX-Slack-Request-Timestamp: %d\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an expectation": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nExpect: a miracle\r\n\r\n",
    "an upgrade": b"GET /slack/events HTTP/1.1\r\nHost: bot\r\nConnection: upgrade, close\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n",
    "a strange path": b"GET /%ff%00/../..//x HTTP/1.0\r\n\r\n",
    "somebody else's address": b"GET http://example.com/ HTTP/1.0\r\nHost: example.com\r\n\r\n",
    "a tunnel": b"CONNECT example.com:443 HTTP/1.0\r\nHost: example.com\r\n\r\n",
}


class Answer(NamedTuple):
    """The whole response, and how long the bot worked on it."""

    text: str
    seconds: float

    @property
    def status(self) -> int:
        return int(self.text.split()[1])


def worked(bot: BotProcess) -> float:
    """Return the CPU seconds the bot has used, which a busy machine doesn't inflate."""
    if not Path("/proc/self/stat").exists():
        return time.monotonic()
    fields = Path(f"/proc/{bot.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def stamped(request: bytes) -> bytes:
    """Fill in the current time where one belongs: a stale request isn't read at all."""
    return request.replace(b"%d", b"%d" % time.time())


async def ask(bot: BotProcess, request: bytes) -> Answer:
    """Send bytes and read until the connection closes."""
    began = worked(bot)
    async with connected(bot) as (reader, writer):
        writer.write(request)
        text = b""
        try:
            async with asyncio.timeout(10):
                await writer.drain()
                while more := await reader.read(65536):
                    text += more
        except ConnectionError:
            pass
    return Answer(text.decode(errors="replace"), worked(bot) - began)


@asynccontextmanager
async def connected(
    bot: BotProcess,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(bot.url("/"))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()


def post(body: bytes, content_type: str = "text/plain", **headers: str) -> bytes:
    """Build a request that claims to have been signed just now."""
    given = {
        "Host": "bot",
        "Connection": "close",
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "X-Slack-Signature": "v0=" + "0" * 64,
        "X-Slack-Request-Timestamp": str(int(time.time())),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"POST /slack/events HTTP/1.1\r\n{lines}\r\n".encode() + body


@pytest.fixture
async def stage(database: AnyDatabase) -> AsyncIterator[Staged]:
    async with staging(database) as stage:
        yield stage


@ON_SQLITE
async def test_an_unsigned_request_is_rejected_cheaply_whatever_its_charset(
    stage: Staged, subtests: pytest.Subtests
) -> None:
    taken = {}
    for codec in CODECS:
        with subtests.test(codec):
            request = post(b"a-" * (LARGEST // 2), f"text/plain; charset={codec}")
            answer = await ask(stage.bot, request)
            taken[codec] = answer.seconds
            assert (answer.status, answer.seconds < AT_ONCE) == (401, True)
    slowest = max(taken, key=lambda codec: taken[codec])
    print(  # noqa: T201 (the figure)
        f"{len(taken)} charsets; the slowest: {slowest}, {taken[slowest] * 1000:.1f} ms"
    )


@ON_SQLITE
async def test_a_signed_body_is_read_as_utf_8_whatever_charset_it_declares(
    stage: Staged, subtests: pytest.Subtests
) -> None:
    body = '{"type": "url_verification", "challenge": "Zoë – ok"}'.encode()
    for codec in CODECS:
        with subtests.test(codec):
            signed = signed_headers(stage.slack.signing_secret, str(int(time.time())), body)
            answer = await ask(
                stage.bot, post(body, f"application/json; charset={codec}", **signed)
            )
            assert answer.status == 200
            assert "Zoë – ok" in answer.text or "Zo\\u00eb \\u2013 ok" in answer.text


@ON_SQLITE
async def test_compressed_and_oversized_bodies_are_rejected(
    stage: Staged, subtests: pytest.Subtests
) -> None:
    bomb = gzip.compress(b"a" * 50_000_000)
    bodies = {"gzip": bomb, "deflate": zlib.compress(b"a" * 50_000_000), "br": bomb, "zstd": bomb}
    for encoding, body in bodies.items():
        with subtests.test(encoding):
            signed = signed_headers(stage.slack.signing_secret, str(int(time.time())), body)
            answer = await ask(stage.bot, post(body, Content_Encoding=encoding, **signed))
            assert (answer.status, answer.seconds < AT_ONCE) == (415, True)
    for declared in (LARGEST + 1, 10**9, 10**30):
        with subtests.test(f"declared {declared}"):
            answer = await ask(stage.bot, post(b"", Content_Length=str(declared)))
            assert answer.status in (400, 413)
    with subtests.test("in chunks"):
        head = post(b"", Transfer_Encoding="chunked").replace(b"Content-Length: 0\r\n", b"")
        chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
        assert (await ask(stage.bot, head + chunk * 5 + b"0\r\n\r\n")).status == 413


@ON_SQLITE
async def test_a_press_gets_through_300_half_open_requests(
    database: AnyDatabase, subtests: pytest.Subtests
) -> None:
    async with started(database) as stage:
        step = stage.slack.message(stage.client_channel, "step:1")
        assert step
        onboarding = step.payload["onboarding_id"]
        environment = stage.bot.environment
        await stage.bot.stop()
        few = await BotProcess.start(environment, database.directory, FEW_DESCRIPTORS)
        stage.slack.deliver_to(few.events_url)
        for name, half in HALF.items():
            with subtests.test(name):
                async with AsyncExitStack() as crowd:
                    opening = (crowd.enter_async_context(connected(few)) for _ in range(HALF_OPEN))
                    held = [await connection for connection in opening]
                    for _, writer in held:
                        writer.write(stamped(half))
                    began = worked(few)
                    pressing = stage.admin.press_raw(step, "choose_account:new", f"{onboarding}:1")
                    assert (await pressing).ack.ok
                    pressed = worked(few)
                    healthy = await ask(few, b"GET /healthz HTTP/1.0\r\n\r\n")
                    print(  # noqa: T201 (the figure)
                        f"{name}: a press {(pressed - began) * 1000:.0f} ms, "
                        f"healthz {healthy.seconds * 1000:.0f} ms"
                    )
                    assert pressed - began < AT_ONCE
                    assert (healthy.status, healthy.seconds < AT_ONCE) == (200, True)
        async with connected(few) as (reader, writer):
            writer.write(HALF["half the headers"])
            async with asyncio.timeout(4):
                assert await reader.read() == b""  # the bot gives up after three seconds
        async with connected(few):
            assert await few.stop() == 0
        assert "Traceback" not in few.log_text()
        assert len(few.log_text()) < 10_000


@ON_SQLITE
async def test_malformed_requests_get_4xx_and_do_not_flood_the_log(
    stage: Staged, subtests: pytest.Subtests
) -> None:
    before = stage.bot.log_text()
    requests = {name: stamped(request) for name, request in NOT_HTTP.items()}
    requests |= {
        f"timestamp {stamp[:20]!r}": post(b"a=b", X_Slack_Request_Timestamp=stamp)
        for stamp in TIMESTAMPS
    }
    requests |= {
        f"signature {given[:20]!r}": post(b"a=b", X_Slack_Signature=given)
        for given in ("", "v0", "v0=", "v0=é", "v1=" + "0" * 64, "0" * 5000, "v0=\x7f")
    }
    requests |= {
        f"{method} {path}": f"{method} {path} HTTP/1.0\r\nHost: bot\r\n\r\n".encode()
        for path in ("/slack/events", "/healthz", "/", "/nowhere")
        for method in ("DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW")
    }
    requests |= {
        f"body {body[:20]!r}": post(body)
        for body in (b"\xff\xfe", b"[" * 100_000, b"9" * 100_000, b"\x00" * 1000)
    }
    requests["parts"] = post(b"--x\r\n" * 10_000, "multipart/form-data; boundary=x")
    for name, request in requests.items():
        with subtests.test(name):
            answer = await ask(stage.bot, request)
            assert 400 <= answer.status < 500 or "/healthz" in name
            assert "server:" not in answer.text.lower()
            assert "python" not in answer.text.lower()
    for method in ("DELETE", "PUT", "HEAD", "OPTIONS", "GET"):
        with subtests.test(f"{method} is not allowed"):
            answer = await ask(stage.bot, f"{method} /slack/events HTTP/1.0\r\n\r\n".encode())
            assert answer.status == 405
            assert "\r\nAllow: POST\r\n" in answer.text
    added = stage.bot.log_text().removeprefix(before)
    assert "Traceback" not in added
    lines = [line for line in added.splitlines() if "uploaded a picture" not in line]
    assert len(lines) <= 3  # wrong signatures are logged, but only occasionally
