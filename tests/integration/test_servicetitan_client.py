"""The ServiceTitan client, over real HTTP against the sandbox and with canned responses."""

import base64
import json
import socket
import traceback
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from pydantic import SecretStr

from bot.verification.errors import NoAnswer, Reason, RequestError, TooManyRequests
from bot.verification.sender import RetryPolicy, Sender
from bot.verification.servicetitan import ServiceTitan, Token
from bot.verification.servicetitan.endpoints import (
    BOOKING_PROVIDER_TAG,
    BUSINESS_UNITS,
    READS,
    WRITE_SCOPES,
)
from bot.verification.servicetitan.errors import (
    Forbidden,
    InvalidClient,
    ResourceNotFound,
    ScopeMissing,
    Unauthorized,
)
from sandbox.servicetitan.faults import FaultKind
from sandbox.servicetitan.server import ServiceTitanSandbox

KEY = SecretStr("ak1.keykeykeykeykeykeykeykey1")
TOKEN = Token(
    SecretStr("token-token"), expires_in=900, scopes=None, tenant=None, client_id="cid.me"
)

Answering = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
async def st() -> AsyncIterator[ServiceTitanSandbox]:
    async with ServiceTitanSandbox(seed=1) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(st: ServiceTitanSandbox, http: httpx.AsyncClient, pauses: list[float]) -> ServiceTitan:
    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    return ServiceTitan(
        Sender(http, policy=RetryPolicy(answer=0.5), sleep=sleep),
        auth_url=st.auth_url,
        api_url=st.api_url,
    )


def answering(answer: Answering | httpx.Response) -> ServiceTitan:
    """A client that gets `answer` for every request and never waits."""

    async def sleep(_seconds: float) -> None:
        pass

    def handle(request: httpx.Request) -> httpx.Response:
        return answer if isinstance(answer, httpx.Response) else answer(request)

    return ServiceTitan(
        Sender(httpx.AsyncClient(transport=httpx.MockTransport(handle)), sleep=sleep),
        auth_url="https://auth.servicetitan.io",
        api_url="https://api.servicetitan.io/",
    )


def secret(value: str) -> SecretStr:
    return SecretStr(value)


async def a_token(client: ServiceTitan, st: ServiceTitanSandbox) -> Token:
    return await client.token(secret(st.client_id), secret(st.client_secret))


async def get(client: ServiceTitan, st: ServiceTitanSandbox, token: Token, **other: str) -> None:
    values = {**st.credentials, **other}
    path = BUSINESS_UNITS.path(secret(values["tenant_id"]), secret(values["booking_provider_id"]))
    await client.get(token, secret(values["application_key"]), path)


def jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJSUzI1NiJ9.{payload}.signature"


# --- tokens


async def test_a_token_exposes_its_scopes_tenant_and_client_id(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    token = await a_token(client, st)

    assert token.scopes == frozenset({read.scope for read in READS} | set(WRITE_SCOPES.values()))
    assert (token.tenant, token.client_id) == (st.tenant_id, st.client_id)
    assert token.expires_in == 900


async def test_an_opaque_token_works_but_exposes_no_claims(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.claims = False

    token = await a_token(client, st)

    assert (token.scopes, token.tenant, token.client_id) == (None, None, None)
    await get(client, st, token)


@pytest.mark.parametrize(
    ("access_token", "scope", "scopes"),
    [
        (jwt({"scope": ["tn.crm.LEADS:r", 7]}), None, {"tn.crm.leads:r"}),
        (jwt({"scope": "a b"}), "c", {"a", "b"}),
        (jwt({}), "a b", {"a", "b"}),
        (jwt({"scope": []}), "", None),
        (jwt(["not", "an", "object"]), None, None),
        ("a.!!!.c", None, None),
        ("a.bm9uc2Vuc2U.c", None, None),
        ("opaque", "a", {"a"}),
    ],
)
async def test_claims_are_read_leniently(
    access_token: str, scope: str | None, scopes: set[str] | None
) -> None:
    body = {"access_token": access_token, "scope": scope, "expires_in": "soon"}
    client = answering(httpx.Response(200, json=body))

    token = await client.token(secret("cid.a"), secret("cs1.b"))

    assert token.scopes == scopes
    assert token.expires_in == 0


async def test_a_tenant_claim_may_be_a_number() -> None:
    client = answering(httpx.Response(200, json={"access_token": jwt({"tenant": 123456})}))

    assert (await client.token(secret("cid.a"), secret("cs1.b"))).tenant == "123456"


async def test_a_wrong_secret_is_an_invalid_client_and_is_tried_once(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    with pytest.raises(InvalidClient, match="HTTP 400"):
        await client.token(secret(st.client_id), secret("cs1.wrong"))

    assert [request.status for request in st.requests] == [400]


async def test_the_old_secret_is_refused_once_a_new_one_was_generated(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    old = st.client_secret
    st.regenerate_secret()

    with pytest.raises(InvalidClient):
        await client.token(secret(st.client_id), secret(old))
    await a_token(client, st)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), InvalidClient),
        (httpx.Response(401), InvalidClient),
        (httpx.Response(400, json={"error": "unauthorized_client"}), InvalidClient),
        (httpx.Response(400, json={"error": "invalid_request"}), RequestError),
        (httpx.Response(400, html="<h1>Blocked</h1>"), NoAnswer),
        (httpx.Response(200, html="<h1>Sign in to the wifi</h1>"), NoAnswer),
        (httpx.Response(200, json={"access_token": "two words"}), NoAnswer),
        (httpx.Response(200, json={}), NoAnswer),
        (httpx.Response(302, headers={"Location": "https://elsewhere.example"}), NoAnswer),
        (httpx.Response(503, html="<h1>Down</h1>"), NoAnswer),
        (httpx.Response(429), TooManyRequests),
    ],
)
async def test_token_endpoint_failures_map_to_specific_errors(
    response: httpx.Response, expected: type[RequestError]
) -> None:
    def repeat(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            response.status_code, headers=response.headers, content=response.content
        )

    with pytest.raises(RequestError) as raised:
        await answering(repeat).token(secret("cid.a"), secret("cs1.b"))

    assert type(raised.value) is expected


# --- reads


async def test_all_reads_succeed_with_correct_credentials(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    token = await a_token(client, st)

    for read in READS:
        path = read.path(secret(st.tenant_id), secret(st.booking_provider_id))
        await client.get(token, secret(st.application_key), path)

    assert {request.status for request in st.requests} == {200}
    assert len({request.template for request in st.requests}) == 1 + len(READS)


async def test_a_wrong_application_key_is_unauthorized(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    token = await a_token(client, st)

    with pytest.raises(Unauthorized) as raised:
        await get(client, st, token, application_key="ak1.wrong")

    assert "trace " in str(raised.value)
    assert "“" not in str(raised.value)  # nobody has published this title


async def test_another_tenant_is_forbidden(client: ServiceTitan, st: ServiceTitanSandbox) -> None:
    token = await a_token(client, st)

    with pytest.raises(Forbidden):
        await get(client, st, token, tenant_id="999999")


async def test_a_missing_scope_is_distinguished_from_other_refusals(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.scopes -= {BUSINESS_UNITS.scope}
    token = await a_token(client, st)

    with pytest.raises(ScopeMissing, match="“Scope validation failed”"):
        await get(client, st, token)


async def test_an_unknown_path_is_our_error_not_the_clients(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    token = await a_token(client, st)

    with pytest.raises(RequestError, match="Unable to match"):
        await get(client, st, token, tenant_id="not/a number?")

    assert st.requests[-1].template == "unknown"


async def test_an_unknown_booking_provider_tag_is_not_found(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    st.scopes |= {BOOKING_PROVIDER_TAG.scope}
    token = await a_token(client, st)

    right = BOOKING_PROVIDER_TAG.path(secret(st.tenant_id), secret(st.booking_provider_id))
    wrong = BOOKING_PROVIDER_TAG.path(secret(st.tenant_id), secret("1"))

    tag = await client.get(token, secret(st.application_key), right)
    assert tag["active"] is True
    with pytest.raises(ResourceNotFound):
        await client.get(token, secret(st.application_key), wrong)


async def test_ids_are_quoted_in_the_path() -> None:
    path = BUSINESS_UNITS.path(secret("1/../2?a=b#c"), secret("3"))

    assert path == "/settings/v2/tenant/1%2F..%2F2%3Fa%3Db%23c/business-units?page=1&pageSize=1"


async def test_a_request_carries_the_headers_the_api_requires() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"data": []})

    await answering(answer).get(TOKEN, KEY, "/settings/v2/tenant/1/business-units")

    assert asked[0].headers["Authorization"] == "Bearer token-token"
    assert asked[0].headers["ST-App-Key"] == KEY.get_secret_value()
    assert str(asked[0].url) == "https://api.servicetitan.io/settings/v2/tenant/1/business-units"


# --- retries and timeouts


@pytest.mark.parametrize("fault", [500, 503, 429, "html", "drop"])
async def test_transient_failures_are_retried(
    client: ServiceTitan, st: ServiceTitanSandbox, pauses: list[float], fault: FaultKind
) -> None:
    token = await a_token(client, st)
    st.fail("business-units", status=fault, times=2)

    await get(client, st, token)

    assert len(pauses) == 2


async def test_the_client_gives_up_after_three_attempts(
    client: ServiceTitan, st: ServiceTitanSandbox, pauses: list[float]
) -> None:
    st.fail("token", status=500)

    with pytest.raises(NoAnswer, match="HTTP 500, server error, trace"):
        await a_token(client, st)

    assert len(st.requests) == 3
    assert 1 <= pauses[0] <= 2 <= pauses[1] <= 3


async def test_the_retry_after_header_is_honored(
    client: ServiceTitan, st: ServiceTitanSandbox, pauses: list[float]
) -> None:
    st.fail("token", status=429, times=1, retry_after=7)

    await a_token(client, st)

    assert 7 <= pauses[0] <= 8


async def test_the_retry_delay_is_read_from_the_body_if_the_header_is_missing(
    client: ServiceTitan, st: ServiceTitanSandbox, pauses: list[float]
) -> None:
    st.fail("token", status=429, times=1)

    await a_token(client, st)

    assert 5 <= pauses[0] <= 6


async def test_a_retry_delay_above_the_limit_raises_an_error_without_waiting(
    client: ServiceTitan, st: ServiceTitanSandbox, pauses: list[float]
) -> None:
    st.fail("token", status=429, retry_after=60)

    with pytest.raises(TooManyRequests) as raised:
        await a_token(client, st)

    assert raised.value.retry_after == 60
    assert (len(st.requests), pauses) == (1, [])


async def test_no_answer_in_time_is_a_timeout(st: ServiceTitanSandbox) -> None:
    st.fail("token", status="timeout")
    async with httpx.AsyncClient() as http:
        retry = RetryPolicy(answer=0.01, attempts=1)
        client = ServiceTitan(Sender(http, policy=retry), auth_url=st.auth_url, api_url=st.api_url)
        with pytest.raises(NoAnswer) as raised:
            await a_token(client, st)

    assert raised.value.reason is Reason.TIMEOUT


async def test_the_total_time_of_all_attempts_is_limited(st: ServiceTitanSandbox) -> None:
    st.fail("token", status="timeout")
    async with httpx.AsyncClient() as http:
        retry = RetryPolicy(answer=60, total=0.01)
        client = ServiceTitan(Sender(http, policy=retry), auth_url=st.auth_url, api_url=st.api_url)
        with pytest.raises(NoAnswer) as raised:
            await a_token(client, st)

    assert raised.value.reason is Reason.TIMEOUT


async def test_a_server_without_tls_is_reported_as_a_tls_error(
    st: ServiceTitanSandbox, http: httpx.AsyncClient
) -> None:
    client = ServiceTitan(
        Sender(http, policy=RetryPolicy(attempts=1)),
        auth_url=st.auth_url.replace("http:", "https:"),
        api_url=st.api_url,
    )

    with pytest.raises(NoAnswer) as raised:
        await a_token(client, st)

    assert raised.value.reason is Reason.TLS


async def test_an_unresolvable_host_is_reported_as_a_dns_error() -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno -2]") from socket.gaierror(-2, "unknown name")

    with pytest.raises(NoAnswer) as raised:
        await answering(answer).get(TOKEN, KEY, "/")

    assert raised.value.reason is Reason.DNS


async def test_a_closed_port_is_reported_as_a_connection_error(
    http: httpx.AsyncClient,
) -> None:
    async with ServiceTitanSandbox() as gone:
        url = gone.auth_url
    client = ServiceTitan(Sender(http, policy=RetryPolicy(attempts=1)), auth_url=url, api_url=url)

    with pytest.raises(NoAnswer) as raised:
        await a_token(client, gone)

    assert raised.value.reason is Reason.CONNECTION


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(307, headers={"Location": "https://elsewhere.example/"})

    with pytest.raises(NoAnswer):
        await answering(answer).token(secret("cid.a"), secret("cs1.b"))

    assert set(asked) == {"auth.servicetitan.io"}


@pytest.mark.parametrize(
    ("auth_url", "environment"),
    [
        ("https://auth.servicetitan.io", "production"),
        ("https://auth-integration.servicetitan.io/", "integration"),
        ("http://127.0.0.1:8080", "127.0.0.1"),
    ],
)
def test_the_environment_is_derived_from_the_auth_host(auth_url: str, environment: str) -> None:
    client = ServiceTitan(
        Sender(httpx.AsyncClient()), auth_url=auth_url, api_url="https://api.example"
    )

    assert client.environment == environment


# --- secrets


@pytest.mark.parametrize("key", ["", "ak1.a b", "ak1.a\nb", "ak1.schlüssel", "ak1.\u200bb"])
async def test_a_key_invalid_in_a_header_is_refused_before_it_is_sent(key: str) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise AssertionError("nothing should have been sent")

    with pytest.raises(RequestError, match="not sent") as raised:
        await answering(answer).get(TOKEN, secret(key), "/")

    assert not key or key not in str(raised.value)


@pytest.mark.parametrize(
    "title",
    [
        f"The key {KEY.get_secret_value()} is not for tenant 1234567890",
        "Client 'cid.abcdefgh' may not do this",
        "Token token-token is stale",
        "Key abcdefghijklmnopqrstuvwxy unknown to jane@example.com",
    ],
)
async def test_sent_values_are_redacted_from_error_titles(title: str) -> None:
    problem = {"title": title, "status": 403, "traceId": KEY.get_secret_value()}

    with pytest.raises(Forbidden) as raised:
        await answering(httpx.Response(403, json=problem)).get(TOKEN, KEY, "/")

    shown = f"{raised.value!r} {raised.value}"
    for value in ("ak1.", "1234567890", "cid.abc", "token-token", "abcdefghijkl", "jane@"):
        assert value not in shown


@pytest.mark.parametrize("fault", [400, 403, 429, 500, "html", "drop", "timeout"])
async def test_errors_and_their_causes_contain_no_credentials(
    client: ServiceTitan, st: ServiceTitanSandbox, fault: FaultKind
) -> None:
    st.fail("token", status=fault)

    with pytest.raises(RequestError) as raised:
        await a_token(client, st)

    error = raised.value
    told = "".join(traceback.format_exception(error)) + repr(error.__dict__)
    assert (error.__cause__, error.__context__) == (None, None)
    for value in st.credentials.values():
        assert value not in told


async def test_tokens_hide_their_values_in_str_and_repr(
    client: ServiceTitan, st: ServiceTitanSandbox
) -> None:
    token = await a_token(client, st)

    shown = f"{token!r} {token}"

    assert token.value.get_secret_value() not in shown
    for value in st.credentials.values():
        assert value not in shown
