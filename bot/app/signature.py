"""Slack's request signature, an HMAC over the raw bytes (docs.slack.dev, "Verifying requests")."""

import hmac
import re
import time

from aiohttp import web

from bot.app.request_monitor import Kind, RequestMonitor

MAX_AGE_SECONDS = 300
# Far more than Slack sends: our largest form, with every field filled in, is about 20 kB.
MAX_REQUEST_BYTES = 256 * 1024


async def signed_body(request: web.Request, secret: bytes, requests: RequestMonitor) -> bytes:
    """Return the bytes that Slack signed; a body without a recent signature is never read.

    Raises HTTPUnauthorized, HTTPUnsupportedMediaType, HTTPRequestEntityTooLarge or HTTPBadRequest.
    """
    timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
    signature = request.headers.get("X-Slack-Signature")
    # int() would also take digits of other scripts, and thousands of them.
    if signature is None or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise _unauthorized(Kind.UNSIGNED, requests)
    if abs(time.time() - int(timestamp)) > MAX_AGE_SECONDS:
        raise _unauthorized(Kind.STALE, requests)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType
    length = request.content_length or 0
    if length > MAX_REQUEST_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_REQUEST_BYTES, length)
    try:
        body = await request.read()
    except web.RequestPayloadError:
        raise web.HTTPBadRequest from None
    digest = hmac.digest(secret, b"v0:" + timestamp.encode() + b":" + body, "sha256")
    if not hmac.compare_digest(f"v0={digest.hex()}".encode(), signature.encode(errors="replace")):
        raise _unauthorized(Kind.WRONG, requests)
    return body


def _unauthorized(kind: Kind, requests: RequestMonitor) -> web.HTTPUnauthorized:
    requests.rejected(kind)
    text = '{"error": "invalid request"}'
    return web.HTTPUnauthorized(text=text, content_type="application/json")
