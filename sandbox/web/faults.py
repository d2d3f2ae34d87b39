"""The switches on the director's panel: what can be wrong at ServiceTitan, and Slack's bad days."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.run import Scenery
from sandbox.servicetitan.endpoints import GUIDE_SCOPES, TAG, WRITE_SCOPES
from sandbox.slack import Trouble

# A seed with which the first post of a message fails, and the second works.
SEED = 122

# The label of a switch, and what it turns on.
Switch = tuple[str, Callable[[Scenery], object]]


def _having(**attributes: object) -> Callable[[Scenery], None]:
    def set_all(scene: Scenery) -> None:
        for name, value in attributes.items():
            setattr(scene.servicetitan, name, value)

    return set_all


def _failing(**how: Any) -> Callable[[Scenery], object]:
    return lambda scene: scene.servicetitan.fail("all", **how)


def _outage(
    probability: float, *troubles: Trouble, performed: float = 0.0
) -> Callable[[Scenery], object]:
    """`performed` is the share of the failing calls that are carried out anyway."""
    return lambda scene: scene.slack.outage(
        probability=probability, troubles=troubles, performed=performed, seed=SEED
    )


SERVICETITAN: Mapping[str, Switch] = {
    "unconnected": (
        "No green dot: the app isn't connected, or it's the other environment",
        _having(connected=False),
    ),
    "read_scope": (
        "A read permission is missing (Customers)",
        _having(scopes=GUIDE_SCOPES - {"tn.crm.customers:r"}),
    ),
    "write_scope": (
        "The write permissions are missing",
        _having(scopes=GUIDE_SCOPES - WRITE_SCOPES),
    ),
    "no_claims": ("Tokens don't say which permissions they have", _having(claims=False)),
    "unrestricted": ("Step 15 was left at “No Restriction”", _having(restricted=False)),
    "tag_off": (
        "The booking provider tag is inactive",
        _having(tag_active=False, scopes=GUIDE_SCOPES | {TAG.scope}),
    ),
    "foreign_client": (
        "The token belongs to another app",
        _having(client_id_in_token="cid.another-app"),
    ),
    "no_dismissal": ("A test booking can't be dismissed (403)", _having(dismiss_status=403)),
    "down": ("ServiceTitan is down (503)", _failing(status=503)),
    "busy": ("ServiceTitan says “slow down” (429)", _failing(status=429, retry_after=5)),
    "silent": ("ServiceTitan doesn't answer", _failing(status="timeout")),
    "web_page": ("ServiceTitan answers with a web page", _failing(status="html")),
    "slow": ("ServiceTitan is slow (2 s)", lambda scene: scene.servicetitan.slow(2.0)),
}
SLACK: Mapping[str, Switch] = {
    "limited": ("Rate limited (429), every other call", _outage(0.5, Trouble.RATE_LIMITED)),
    "errors": (
        "Server errors (5xx), every other call",
        _outage(0.5, Trouble.SERVER_ERROR, Trouble.UNAVAILABLE),
    ),
    "lost": ("Answers get lost, every other call", _outage(0.5, Trouble.RESET, performed=1.0)),
    "away": ("Slack's API is down", _outage(1.0, Trouble.UNAVAILABLE)),
}
_everything_works = _having(
    scopes=GUIDE_SCOPES,
    connected=True,
    claims=True,
    restricted=True,
    tag_active=True,
    client_id_in_token="",
    dismiss_status=200,
)


def flip(scene: Scenery, on: set[str], name: str) -> None:
    """Turn one switch on or off; `on` are those that are on. Raises KeyError for an unknown one."""
    switches = {**SERVICETITAN, **SLACK}
    switches[name]
    on ^= {name}
    scene.slack.heal()
    scene.servicetitan.heal()
    scene.servicetitan.expire_tokens()
    _everything_works(scene)
    for each, (_, turn_on) in switches.items():
        if each in on:
            turn_on(scene)
