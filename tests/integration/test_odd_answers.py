"""Malformed responses from ServiceTitan: each soon ends in a report that quotes none of it."""

import gzip
import json
import re
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from functools import cache

import httpx
import pytest
from pydantic import SecretStr

from bot.onboarding.verification_report import Outcome, Report
from bot.verification import Booking, runner, verify
from bot.verification.answers import LARGEST_ANSWER
from bot.verification.sender import RetryPolicy, Sender
from bot.verification.servicetitan import ServiceTitan
from sandbox.servicetitan.faults import Odd
from sandbox.servicetitan.server import ServiceTitanSandbox
from tests.builders import GUIDE
from tests.integration.test_booking_flow import make_due
from tests.integration.test_verification import ticking_clock
from tests.integration.world import World

MARKER = "zzmarkzz"
ENDPOINTS = [
    *("token", "business-units", "customers", "bookings", "booking-provider-tags"),
    *("create-booking", "get-booking", "dismiss-booking"),
]
# One endpoint of each kind, which gets every response.
REPRESENTATIVES = ("token", "customers", "create-booking")
CPU_SECONDS = 3.0
MEGABYTE = 1_000_000
JSON = {"Content-Type": "application/json"}


def compressed(encoding: str, body: bytes) -> Odd:
    body = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)
    return Odd(body, headers={**JSON, "Content-Encoding": encoding})


BODIES = {
    "empty": b"",
    "blank": b"   ",
    "not JSON": MARKER.encode(),
    "a list": b'["zzmarkzz"]',
    "a number": b"1",
    "null": b"null",
    "a string": b'"zzmarkzz"',
    "an empty object": b"{}",
    "deeply nested lists": b"[" * 60_000,
    "deeply nested objects": b'{"a":' * 12_000 + b"1" + b"}" * 12_000,
    "a deeply nested title": b'{"title":' + b"[" * 900 + b"]" * 900 + b"}",
    "UTF-16": '{"title": "zzmarkzz"}'.encode("utf-16"),
    "not UTF-8": b'{"title": "\xff\xfe"}',
    "a lone surrogate": b'{"title": "\\ud800 zzmarkzz", "traceId": "\\udfff"}',
    "a NUL": b'{"title": "zzmarkzz\\u0000", "traceId": "\\u0000", "errors": {"\\u0000": []}}',
    "duplicate keys": b'{"title": "a", "title": "zzmarkzz", "id": 1, "id": 2, "expires_in": 1}',
    "a 40 kB title": b'{"title": "' + b"a@" * 20_000 + b'"}',
    "a title of 60,000 spaces": b'{"title": "' + b" " * 60_000 + b'"}',
    "titles of the wrong type": b'{"title": {"zzmarkzz": []}, "message": 1, "error": ["zzmarkzz"]}',
    "errors of the wrong type": b'{"errors": ["zzmarkzz"], "traceId": ["zzmarkzz"], "data": "zz"}',
    "many errors": json.dumps(
        {"errors": {f"{MARKER}{number}": [] for number in range(3000)}}
    ).encode(),
    "exactly the size limit": b'{"title": "' + b"z" * (LARGEST_ANSWER - 13) + b'"}',
    "one byte over the size limit": b'{"title": "' + b"z" * (LARGEST_ANSWER - 12) + b'"}',
    **{
        f"{number[:12]} for every number": json.dumps(
            {
                "id": 0,
                "expires_in": 0,
                "status": 0,
                "page": 0,
                "active": 0,
                "title": MARKER,
                "data": [],
            }
        )
        .replace(" 0", number)
        .encode()
        for number in (
            *("9" * 4000, "9" * 5000, "-" + "9" * 4000, "NaN", "Infinity", "-Infinity", "1e999"),
            *("-1", "1.5", "true", "null", "1e300", "[]", '"zzmarkzz"', "18446744073709551616"),
        )
    },
}


@cache
def responses() -> dict[str, Odd]:
    """Every malformed response, by name."""
    return {
        **{
            f"{name}, {status}": Odd(body, status)
            for name, body in BODIES.items()
            for status in (200, 403)
        },
        **{
            f"{encoding} bomb, {status}": compressed(encoding, b" " * 20_000_000)._replace(
                status=status
            )
            for encoding in ("gzip", "deflate")
            for status in (200, 403)
        },
        "not gzip despite its header": Odd(b"{}", headers={**JSON, "Content-Encoding": "gzip"}),
        "compressed twice": compressed("gzip", gzip.compress(b"{}")),
        "an unknown encoding": Odd(b"{}", headers={**JSON, "Content-Encoding": "zzmarkzz, br"}),
        "endless": Odd(b" " * 10_000, headers=JSON, endless=True),
        "an endless error": Odd(b" " * 10_000, 403, headers=JSON, endless=True),
        "a redirect": Odd(b"{}", 307, {**JSON, "Location": "https://zzmarkzz.example/"}),
        "a redirect to an invalid URL": Odd(b"{}", 302, {**JSON, "Location": "http://[zzmarkzz"}),
        "a delay in non-ASCII digits": Odd(
            '{"title": "in ٩٩ seconds"}'.encode(), 429, {**JSON, "Retry-After": "1e9"}
        ),
        "an unknown status": Odd(b"{}", 799, JSON),
    }


@pytest.fixture
async def st() -> AsyncIterator[ServiceTitanSandbox]:
    async with ServiceTitanSandbox(seed=4) as running:
        running.scopes |= {"tn.crm.bookingprovidertags:r"}
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def run_verification(http: httpx.AsyncClient, st: ServiceTitanSandbox) -> Report:
    """Verify and make a test booking, as the bot does."""

    async def may_send() -> bool:
        return True

    async def sleep(_seconds: float) -> None:
        pass

    servicetitan = ServiceTitan(
        Sender(http, policy=RetryPolicy(total=5), sleep=sleep),
        auth_url=st.auth_url,
        api_url=st.api_url,
    )
    values = {name: SecretStr(value) for name, value in st.credentials.items()}
    booking = Booking("heavyset-test-1", sent=False, may_send=may_send)
    return await verify(GUIDE, servicetitan, values, now=ticking_clock(), booking=booking)


def as_stored(report: Report) -> str:
    """Return everything in a report, as PostgreSQL and Slack would get it."""
    text = report.model_dump_json()
    text.encode()  # no lone surrogates
    assert "\\u0000" not in text
    return text


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_malformed_response_ends_in_a_report_that_quotes_none_of_it(
    http: httpx.AsyncClient, st: ServiceTitanSandbox, endpoint: str, subtests: pytest.Subtests
) -> None:
    for number, (name, response) in enumerate(responses().items()):
        if endpoint not in REPRESENTATIVES and number % 9 != ENDPOINTS.index(endpoint):
            continue  # the other endpoints of a kind read the responses in the same way
        with subtests.test(name):
            st.heal()
            st.fail(endpoint, status=response)
            began = time.process_time()

            text = as_stored(await run_verification(http, st))

            assert time.process_time() - began < CPU_SECONDS
            assert len(text) < 10_000
            assert not re.search(r"zz|999|@a", text)


SPELLINGS: list[Callable[[str], str]] = [
    str,
    lambda value: " ".join(re.findall("..", value)),
    " ".join,
    lambda value: value.encode().hex(),
]


def echo_in_every_field(echo: str) -> bytes:
    """A response with `echo` in every field that is read."""
    return json.dumps(
        {
            "title": f"Forbidden: {echo}",
            "message": echo,
            "error": echo,
            "traceId": echo,
            "errors": {part: [part] for part in echo.split()},
            "status": echo,
            "id": echo,
            "externalId": "heavyset-test-1",
            "data": [{"externalId": "heavyset-test-1", "id": 7, "status": echo}],
        }
    ).encode()


async def test_echoed_credentials_are_not_quoted_whole_or_in_pieces(
    http: httpx.AsyncClient, st: ServiceTitanSandbox, subtests: pytest.Subtests
) -> None:
    """Every endpoint and status echoes some spellings; together they cover every value."""
    values = list(st.credentials.values())
    places = [(endpoint, status) for endpoint in ENDPOINTS for status in (200, 400, 401, 403)]
    for place, (endpoint, status) in enumerate(places):
        for kind, spell in enumerate(SPELLINGS):
            if (place + kind) % 2:
                continue
            value = values[(place + kind) % len(values)]
            with subtests.test(f"{endpoint}, {status}, {kind}, {place % len(values)}"):
                st.heal()
                st.fail(endpoint, status=Odd(echo_in_every_field(spell(value)), status))

                report = await run_verification(http, st)

                texts = " ".join(check.for_client + check.for_engineer for check in report.checks)
                assert value not in texts
                assert spell(value) not in texts
                assert " ".join(re.findall("..", value)[:3]) not in texts


async def test_a_decompression_bomb_uses_little_memory(
    http: httpx.AsyncClient, st: ServiceTitanSandbox
) -> None:
    bomb = zlib.compressobj(9, wbits=31)
    body = b"".join(bomb.compress(bytes(MEGABYTE)) for _ in range(200)) + bomb.flush()
    st.fail("customers", status=Odd(body, 403, {**JSON, "Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        report = await run_verification(http, st)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert report.outcome is Outcome.UNKNOWN
    assert peak < 5 * MEGABYTE


async def test_compressed_responses_from_servicetitan_are_read(
    http: httpx.AsyncClient, st: ServiceTitanSandbox
) -> None:
    page = b'{"page": 1, "data": []}'
    for endpoint, encoding in (("customers", "gzip"), ("leads", "deflate"), ("jobs", "gzip")):
        st.fail(endpoint, status=compressed(encoding, page), times=1)

    assert (await run_verification(http, st)).outcome is Outcome.PASSED


async def test_servicetitans_cookies_are_never_sent_back(world: World) -> None:
    cookie = {**JSON, "Set-Cookie": "who=acme; Path=/"}
    world.servicetitan.fail(
        "token", status=Odd(b'{"error": "invalid_client"}', 400, cookie), times=1
    )
    await world.begin()
    await world.walk_to(23)

    assert world.servicetitan.cookies == []


async def test_an_unexpected_error_in_a_verification_ends_in_a_report(
    begun: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    value = begun.servicetitan.client_secret

    async def broken(*_given: object, **_named: object) -> Report:
        raise ExceptionGroup("several", [OverflowError(f"{value} is too large")])

    monkeypatch.setattr(runner, "verify", broken)

    await begun.walk_to(23)
    await make_due(begun)
    await make_due(begun)

    assert begun.message("verification:1").payload["outcome"] == "unknown"
    assert begun.rows("SELECT count(*) FROM verification WHERE due_at IS NOT NULL") == [(0,)]
    failures = [line for line in caplog.messages if line == "a verification failed unexpectedly"]
    assert len(failures) == 1  # not retried over and over
    assert value not in caplog.text
    shown = json.dumps([message.blocks for message in begun.engineering.messages])
    assert "could not be finished: OverflowError at " in shown
