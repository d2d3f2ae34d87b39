"""The switches on the director's panel: what can be wrong at ServiceTitan, and Slack's bad days."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sandbox.servicetitan.endpoints import GUIDE_SCOPES, TAG, WRITE_SCOPES
from sandbox.servicetitan.server import ServiceTitanSandbox
from sandbox.slack import Outage, SlackSandbox, Trouble


@dataclass(frozen=True)
class Switch:
    """One thing that can be wrong."""

    label: str
    turn_on: Callable[[ServiceTitanSandbox], object]


def _having(**attributes: object) -> Callable[[ServiceTitanSandbox], None]:
    def set_all(servicetitan: ServiceTitanSandbox) -> None:
        for name, value in attributes.items():
            setattr(servicetitan, name, value)

    return set_all


SERVICETITAN: Mapping[str, Switch] = {
    "unconnected": Switch(
        "No green dot: the app isn't connected, or it's the other environment",
        _having(connected=False),
    ),
    "read_scope": Switch(
        "A read permission is missing (Customers)",
        _having(scopes=GUIDE_SCOPES - {"tn.crm.customers:r"}),
    ),
    "write_scope": Switch(
        "The write permissions are missing", _having(scopes=GUIDE_SCOPES - WRITE_SCOPES)
    ),
    "no_claims": Switch("Tokens don't say which permissions they have", _having(claims=False)),
    "unrestricted": Switch("Step 15 was left at “No Restriction”", _having(restricted=False)),
    "tag_off": Switch(
        "The booking provider tag is inactive",
        _having(tag_active=False, scopes=GUIDE_SCOPES | {TAG.scope}),
    ),
    "foreign_client": Switch(
        "The token belongs to another app", _having(client_id_in_token="cid.another-app")
    ),
    "no_dismissal": Switch("A test booking can't be dismissed (403)", _having(dismiss_status=403)),
    "down": Switch("ServiceTitan is down (503)", lambda st: st.fail("all", status=503)),
    "busy": Switch(
        "ServiceTitan says “slow down” (429)", lambda st: st.fail("all", status=429, retry_after=5)
    ),
    "silent": Switch("ServiceTitan doesn't answer", lambda st: st.fail("all", status="timeout")),
    "web_page": Switch(
        "ServiceTitan answers with a web page", lambda st: st.fail("all", status="html")
    ),
    "slow": Switch("ServiceTitan is slow (2 s)", lambda st: st.slow(2.0)),
}


class ServiceTitanSwitches:
    """The switches that are on; everything else works."""

    def __init__(self, servicetitan: ServiceTitanSandbox) -> None:
        self.on: set[str] = set()
        self._servicetitan = servicetitan

    def flip(self, name: str) -> None:
        """Turn one on or off; raises KeyError for an unknown one."""
        SERVICETITAN[name]
        self.on ^= {name}
        servicetitan = self._servicetitan
        servicetitan.heal()
        servicetitan.expire_tokens()
        _having(
            scopes=GUIDE_SCOPES,
            connected=True,
            claims=True,
            restricted=True,
            tag_active=True,
            client_id_in_token="",
            dismiss_status=200,
        )(servicetitan)
        for name in SERVICETITAN:
            if name in self.on:
                SERVICETITAN[name].turn_on(servicetitan)


SLACK: Mapping[str, tuple[str, float, tuple[Trouble, ...], float]] = {
    # label, probability, troubles, share of the failing calls that are carried out anyway
    "limited": ("Rate limited (429), every other call", 0.5, (Trouble.RATE_LIMITED,), 0.0),
    "errors": (
        "Server errors (5xx), every other call",
        0.5,
        (Trouble.SERVER_ERROR, Trouble.UNAVAILABLE),
        0.0,
    ),
    "lost": ("Answers get lost, every other call", 0.5, (Trouble.RESET,), 1.0),
    "away": ("Slack's API is down", 1.0, (Trouble.UNAVAILABLE,), 0.0),
}


# A seed with which the first post of a message fails, and the second works.
SEED = 122


class SlackSwitches:
    """Those of Slack's bad days that are on."""

    def __init__(self, slack: SlackSandbox) -> None:
        self._slack = slack
        self._outages: dict[str, Outage] = {}

    @property
    def on(self) -> set[str]:
        return set(self._outages)

    def flip(self, name: str) -> None:
        """Turn one on or off; raises KeyError for an unknown one."""
        _, probability, troubles, performed = SLACK[name]
        if outage := self._outages.pop(name, None):
            outage.end()
            return
        self._outages[name] = self._slack.outage(
            probability=probability, troubles=troubles, performed=performed, seed=SEED
        )
