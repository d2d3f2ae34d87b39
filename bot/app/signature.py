"""Slack's signature of a request, over its bytes (docs.slack.dev, "Verifying requests")."""

import hashlib
import hmac
import re
from collections.abc import Mapping

VALID_SECONDS = 300


class Signature:
    """Tells whether a request is Slack's; any header and any body may be asked about."""

    def __init__(self, signing_secret: str) -> None:
        """Take the secret that we share with Slack."""
        self._secret = signing_secret.encode()

    def is_there(self, headers: Mapping[str, str]) -> bool:
        """Whether these headers have a signature and its time at all, right or wrong."""
        stamp = headers.get("X-Slack-Request-Timestamp", "")
        # int() would also take digits of other scripts, and thousands of them.
        return bool(re.fullmatch(r"[0-9]{1,12}", stamp)) and "X-Slack-Signature" in headers

    def may_be(self, headers: Mapping[str, str], now: float) -> bool:
        """Whether a request with these headers is worth reading: signed at all, and just now."""
        if not self.is_there(headers):
            return False
        return abs(now - int(headers["X-Slack-Request-Timestamp"])) <= VALID_SECONDS

    def is_slacks(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether Slack signed this body, at the time that the headers say."""
        stamp = headers.get("X-Slack-Request-Timestamp", "").encode(errors="replace")
        digest = hmac.new(self._secret, b"v0:" + stamp + b":" + body, hashlib.sha256)
        given = headers.get("X-Slack-Signature", "").encode(errors="replace")
        return hmac.compare_digest(b"v0=" + digest.hexdigest().encode(), given)
