"""Unsigned and malformed requests to a real bot process cost it little."""

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
from tests.e2e.staging import DatabaseStage, running_stage
from tests.e2e.test_stopping import stage_at_step_1

MAX_BODY = 256 * 1024
MAX_CPU_SECONDS = 1.5  # seconds of the bot's own work; Slack waits three for the answer
HALF_OPEN = 300
FEW_DESCRIPTORS = (
    "-c",
    "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)); "
    "sys.argv[1:] = ['run']; runpy.run_module('bot', run_name='__main__')",
)
EXTRA_CODECS = [
    "punycode",
    "idna",
    "unicode_escape",
    "raw_unicode_escape",
    "utf-7",
    "undefined",
    "mbcs",
]
CODECS = sorted({*encodings.aliases.aliases.values(), *EXTRA_CODECS})
PARTIAL_REQUESTS = {
    "nothing": b"",
    "half a line": b"POST /slack/ev",
    "half the headers": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nX-Slack-Signa",
    "half a body": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000\r\n"
    b"X-Slack-Signature: v0=0\r\nX-Slack-Request-Timestamp: %d\r\n\r\npayload",
    "half a chunk": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nTransfer-Encoding: chunked\r\n"
    b"X-Slack-Signature: v0=0\r\nX-Slack-Request-Timestamp: %d\r\n\r\n1000\r\nabc",
    "half a GET body": b"GET /healthz HTTP/1.1\r\nHost: bot\r\nContent-Length: 1000\r\n\r\nabc",
    "half of a second request": b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\nGET /hea",
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
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "an unknown HTTP version": b"GET / HTTP/9.9\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "a header with a NUL": b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
    "a huge header": b"GET / HTTP/1.1\r\nHost: " + b"a" * 70_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    "two Content-Lengths": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a negative Content-Length": b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "an invalid chunk size": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\n"
    b"X-Slack-Signature: v0=0\r\nX-Slack-Request-Timestamp: %d\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an Expect header": b"POST /slack/events HTTP/1.1\r\nHost: bot\r\nExpect: a miracle\r\n\r\n",
    "an upgrade": b"GET /slack/events HTTP/1.1\r\nHost: bot\r\nConnection: upgrade, close\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n",
    "a strange path": b"GET /%ff%00/../..//x HTTP/1.0\r\n\r\n",
    "another host's URL": b"GET http://example.com/ HTTP/1.0\r\nHost: example.com\r\n\r\n",
    "CONNECT": b"CONNECT example.com:443 HTTP/1.0\r\nHost: example.com\r\n\r\n",
}


class Answer(NamedTuple):
    """The whole response, and how long the bot worked on it."""

    text: str
    seconds: float

    @property
    def status(self) -> int:
        return int(self.text.split()[1])


def cpu_seconds(bot: BotProcess) -> float:
    """Return the CPU seconds the bot has used, which a busy machine doesn't inflate."""
    if not Path("/proc/self/stat").exists():
        return time.monotonic()
    fields = Path(f"/proc/{bot.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def with_timestamp(request: bytes) -> bytes:
    """Fill in the current time where one belongs: a stale request isn't read at all."""
    return request.replace(b"%d", b"%d" % time.time())


async def send(bot: BotProcess, request: bytes) -> Answer:
    """Send bytes and read until the connection closes."""
    began = cpu_seconds(bot)
    async with connection(bot) as (reader, writer):
        writer.write(request)
        text = b""
        try:
            async with asyncio.timeout(10):
                await writer.drain()
                while more := await reader.read(65536):
                    text += more
        except ConnectionError:
            pass
    return Answer(text.decode(errors="replace"), cpu_seconds(bot) - began)


@asynccontextmanager
async def connection(
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
    all_headers = {
        "Host": "bot",
        "Connection": "close",
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "X-Slack-Signature": "v0=" + "0" * 64,
        "X-Slack-Request-Timestamp": str(int(time.time())),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in all_headers.items())
    return f"POST /slack/events HTTP/1.1\r\n{lines}\r\n".encode() + body


@pytest.fixture
async def stage(database: AnyDatabase) -> AsyncIterator[DatabaseStage]:
    async with running_stage(database) as stage:
        yield stage


@ON_SQLITE
async def test_an_unsigned_request_is_rejected_cheaply_whatever_its_charset(
    stage: DatabaseStage, subtests: pytest.Subtests
) -> None:
    seconds = {}
    for codec in CODECS:
        with subtests.test(codec):
            request = post(b"a-" * (MAX_BODY // 2), f"text/plain; charset={codec}")
            answer = await send(stage.bot, request)
            seconds[codec] = answer.seconds
            assert (answer.status, answer.seconds < MAX_CPU_SECONDS) == (401, True)
    slowest = max(seconds, key=lambda codec: seconds[codec])
    print(  # noqa: T201 (the figure)
        f"{len(seconds)} charsets; the slowest: {slowest}, {seconds[slowest] * 1000:.1f} ms"
    )


@ON_SQLITE
async def test_a_signed_body_is_read_as_utf_8_whatever_charset_it_declares(
    stage: DatabaseStage, subtests: pytest.Subtests
) -> None:
    body = '{"type": "url_verification", "challenge": "Zoë – ok"}'.encode()
    for codec in CODECS:
        with subtests.test(codec):
            signed = signed_headers(stage.slack.signing_secret, str(int(time.time())), body)
            answer = await send(
                stage.bot, post(body, f"application/json; charset={codec}", **signed)
            )
            assert answer.status == 200
            assert "Zoë – ok" in answer.text or "Zo\\u00eb \\u2013 ok" in answer.text


@ON_SQLITE
async def test_compressed_and_oversized_bodies_are_rejected(
    stage: DatabaseStage, subtests: pytest.Subtests
) -> None:
    bomb = gzip.compress(b"a" * 50_000_000)
    bodies = {"gzip": bomb, "deflate": zlib.compress(b"a" * 50_000_000), "br": bomb, "zstd": bomb}
    for encoding, body in bodies.items():
        with subtests.test(encoding):
            signed = signed_headers(stage.slack.signing_secret, str(int(time.time())), body)
            answer = await send(stage.bot, post(body, Content_Encoding=encoding, **signed))
            assert (answer.status, answer.seconds < MAX_CPU_SECONDS) == (415, True)
    for declared in (MAX_BODY + 1, 10**9, 10**30):
        with subtests.test(f"declared {declared}"):
            answer = await send(stage.bot, post(b"", Content_Length=str(declared)))
            assert answer.status in (400, 413)
    with subtests.test("in chunks"):
        head = post(b"", Transfer_Encoding="chunked").replace(b"Content-Length: 0\r\n", b"")
        chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
        assert (await send(stage.bot, head + chunk * 5 + b"0\r\n\r\n")).status == 413


@ON_SQLITE
async def test_a_press_gets_through_300_half_open_requests(
    database: AnyDatabase, subtests: pytest.Subtests
) -> None:
    async with stage_at_step_1(database) as stage:
        step = stage.slack.message(stage.client_channel, "step:1")
        assert step
        onboarding = step.payload["onboarding_id"]
        environment = stage.bot.environment
        await stage.bot.stop()
        limited = await BotProcess.start(environment, database.directory, FEW_DESCRIPTORS)
        stage.slack.deliver_to(limited.events_url)
        for name, partial in PARTIAL_REQUESTS.items():
            with subtests.test(name):
                async with AsyncExitStack() as stack:
                    opening = (
                        stack.enter_async_context(connection(limited)) for _ in range(HALF_OPEN)
                    )
                    connections = [await opened for opened in opening]
                    for _, writer in connections:
                        writer.write(with_timestamp(partial))
                    began = cpu_seconds(limited)
                    pressing = stage.admin.press_raw(step, "choose_account:new", f"{onboarding}:1")
                    assert (await pressing).ack.ok
                    pressed = cpu_seconds(limited)
                    healthy = await send(limited, b"GET /healthz HTTP/1.0\r\n\r\n")
                    print(  # noqa: T201 (the figure)
                        f"{name}: a press {(pressed - began) * 1000:.0f} ms, "
                        f"healthz {healthy.seconds * 1000:.0f} ms"
                    )
                    assert pressed - began < MAX_CPU_SECONDS
                    assert (healthy.status, healthy.seconds < MAX_CPU_SECONDS) == (200, True)
        async with connection(limited) as (reader, writer):
            writer.write(PARTIAL_REQUESTS["half the headers"])
            async with asyncio.timeout(10):
                assert await reader.read() == b""  # the bot gives up after three seconds
        async with connection(limited):
            assert await limited.stop() == 0
        assert "Traceback" not in limited.log_text()
        assert len(limited.log_text()) < 10_000


@ON_SQLITE
async def test_malformed_requests_get_4xx_and_do_not_flood_the_log(
    stage: DatabaseStage, subtests: pytest.Subtests
) -> None:
    before = stage.bot.log_text()
    requests = {name: with_timestamp(request) for name, request in NOT_HTTP.items()}
    requests |= {
        f"timestamp {stamp[:20]!r}": post(b"a=b", X_Slack_Request_Timestamp=stamp)
        for stamp in TIMESTAMPS
    }
    requests |= {
        f"signature {signature[:20]!r}": post(b"a=b", X_Slack_Signature=signature)
        for signature in ("", "v0", "v0=", "v0=é", "v1=" + "0" * 64, "0" * 5000, "v0=\x7f")
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
            answer = await send(stage.bot, request)
            assert 400 <= answer.status < 500 or "/healthz" in name
            assert "server:" not in answer.text.lower()
            assert "python" not in answer.text.lower()
    for method in ("DELETE", "PUT", "HEAD", "OPTIONS", "GET"):
        with subtests.test(f"{method} is not allowed"):
            answer = await send(stage.bot, f"{method} /slack/events HTTP/1.0\r\n\r\n".encode())
            assert answer.status == 405
            assert "\r\nAllow: POST\r\n" in answer.text
    new_log = stage.bot.log_text().removeprefix(before)
    assert "Traceback" not in new_log
    lines = [line for line in new_log.splitlines() if "uploaded a picture" not in line]
    assert len(lines) <= 3  # wrong signatures are logged, but only occasionally
