"""Slack's request signature, an HMAC over the raw bytes (docs.slack.dev, "Verifying requests")."""

import hmac
import re
from collections.abc import Mapping

MAX_AGE_SECONDS = 300


class Signature:
    """Verifies that requests are Slack's; takes any headers and any body."""

    def __init__(self, signing_secret: str) -> None:
        self._secret = signing_secret.encode()

    def age(self, headers: Mapping[str, str], now: float) -> float | None:
        """Return how long ago Slack claims to have signed this, None if the headers don't say."""
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        # int() would also take digits of other scripts, and thousands of them.
        if "X-Slack-Signature" not in headers or not re.fullmatch(r"[0-9]{1,12}", timestamp):
            return None
        return now - int(timestamp)

    def is_valid(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether Slack signed this body with the timestamp in the headers."""
        timestamp = headers.get("X-Slack-Request-Timestamp", "").encode(errors="replace")
        digest = hmac.digest(self._secret, b"v0:" + timestamp + b":" + body, "sha256")
        given = headers.get("X-Slack-Signature", "").encode(errors="replace")
        return hmac.compare_digest(b"v0=" + digest.hex().encode(), given)
