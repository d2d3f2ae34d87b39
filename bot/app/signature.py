"""Slack's request signature, an HMAC over the raw bytes (docs.slack.dev, "Verifying requests")."""

import hashlib
import hmac
import re
from collections.abc import Mapping

MAX_AGE_SECONDS = 300


class Signature:
    """Verifies that requests are Slack's; takes any headers and any body."""

    def __init__(self, signing_secret: str) -> None:
        self._secret = signing_secret.encode()

    def is_present(self, headers: Mapping[str, str]) -> bool:
        """Whether the headers have a timestamp and a signature, right or wrong."""
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        # int() would also take digits of other scripts, and thousands of them.
        return bool(re.fullmatch(r"[0-9]{1,12}", timestamp)) and "X-Slack-Signature" in headers

    def is_recent(self, headers: Mapping[str, str], now: float) -> bool:
        """Whether the headers have a signature from just now, so that the body is worth reading."""
        if not self.is_present(headers):
            return False
        return abs(now - int(headers["X-Slack-Request-Timestamp"])) <= MAX_AGE_SECONDS

    def is_valid(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether Slack signed this body with the timestamp in the headers."""
        timestamp = headers.get("X-Slack-Request-Timestamp", "").encode(errors="replace")
        digest = hmac.new(self._secret, b"v0:" + timestamp + b":" + body, hashlib.sha256)
        given = headers.get("X-Slack-Signature", "").encode(errors="replace")
        return hmac.compare_digest(b"v0=" + digest.hexdigest().encode(), given)
