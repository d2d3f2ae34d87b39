"""What the sandbox page's server rejects; no browser is needed."""

import re

import httpx
import pytest
from click.testing import CliRunner

from bot.cli.main import main
from tests.browser.conftest import WebSandbox


def fields(web_sandbox: WebSandbox, **more: str) -> dict[str, str]:
    html = httpx.get(web_sandbox.url).text
    generation = re.search(r'data-generation="(\d+)"', html)
    people = dict(re.findall(r'data-who="(\w+)" aria-label="(\w+ \w+)\'s Slack"', html))
    assert generation is not None
    ids = {name: user_id for user_id, name in people.items()}
    return {"generation": generation[1], "who": ids["Ann Admin"], **more}


def test_requests_from_a_foreign_host_or_origin_are_forbidden(web_sandbox: WebSandbox) -> None:
    form = fields(web_sandbox, act="say", channel="C", text="x")

    for headers in (
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ):
        assert httpx.post(f"{web_sandbox.url}act", data=form, headers=headers).status_code == 403
        assert httpx.get(f"{web_sandbox.url}events", headers=headers).status_code == 403
    page = httpx.get(web_sandbox.url)
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("nowhere", {}, 404),
        ("act", {"act": "say", "text": "x" * 1_000_000}, 413),
        ("act", {"act": "fly"}, 400),
        ("act", {"act": "say", "channel": "C0NOBODY", "text": "x"}, 409),
        ("act", {"act": "say", "who": "U0NOBODY", "text": "x"}, 409),
        ("act", {"act": "press", "target": "message:C1:1.1", "block": "b", "action": "a"}, 409),
        ("act", {"act": "submit", "view": "V0"}, 409),
        ("act", {"act": "say", "text": "x", "generation": "0"}, 409),
        ("direct", {"direct": "scene", "value": "nowhere"}, 400),
        ("direct", {"direct": "jump", "value": "back"}, 400),
    ],
)
def test_invalid_requests_are_rejected_without_breaking_the_page(
    web_sandbox: WebSandbox, path: str, form: dict[str, str], status: int
) -> None:
    answer = httpx.post(web_sandbox.url + path, data=fields(web_sandbox) | form)

    assert answer.status_code == status
    assert httpx.get(web_sandbox.url).status_code == 200


def test_a_port_in_use_is_reported(web_sandbox: WebSandbox) -> None:
    port = web_sandbox.url.rstrip("/").rpartition(":")[2]

    result = CliRunner().invoke(main, ["sandbox", "--web", "--port", port])

    assert result.exit_code == 1
    assert f"Port {port} can't be used" in result.output
