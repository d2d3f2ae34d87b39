"""Access tokens, and what they say about themselves."""

import base64
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from bot.verification.answers import json_object
from bot.verification.errors import Reason
from bot.verification.sender import access_token

# A token lives 900 s; a day is more than enough.
LIFETIMES = range(1, 86401)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and its claims; None where it has none."""

    value: SecretStr
    expires_in: int
    scopes: frozenset[str] | None
    tenant: str | None = field(repr=False)
    client_id: str | None = field(repr=False)


def token_of(body: dict[str, Any]) -> Token:
    """Return the token of a response; raises NoAnswer if there is none."""
    value = access_token(body, Reason.NOT_JSON)
    claims = _claims(value)
    expires_in = body.get("expires_in")
    return Token(
        value=SecretStr(value),
        expires_in=expires_in if isinstance(expires_in, int) and expires_in in LIFETIMES else 0,
        scopes=_scopes(claims.get("scope")) or _scopes(body.get("scope")),
        tenant=_text(claims.get("tenant")),
        client_id=_text(claims.get("client_id")),
    )


def _claims(jwt: str) -> dict[str, Any]:
    """Return the payload of a token, empty if it is not a JWT.

    The signature is not checked: the token came from its issuer over TLS.
    """
    parts = jwt.split(".")
    if len(parts) != 3:
        return {}
    with suppress(ValueError):
        return json_object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))) or {}
    return {}


def _scopes(claim: object) -> frozenset[str] | None:
    """Return the scopes of a list or a string, None if there are none."""
    words = claim.split() if isinstance(claim, str) else claim
    if not isinstance(words, list):
        return None
    return frozenset(word.lower() for word in words if isinstance(word, str)) or None


def _text(claim: object) -> str | None:
    return str(claim) if isinstance(claim, str | int) and claim else None
