"""The test booking: created once, found again, and dismissed. The client's dispatchers see it.

ServiceTitan accepts a second booking with the same externalId, so the order is: look for it, record
that it is sent, send it once, look for it again.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.verification.access import Access
from bot.verification.diagnosis import cause_of_error
from bot.verification.errors import NoAnswer, RequestError, TooManyRequests
from bot.verification.findings import Finding
from bot.verification.servicetitan.endpoints import (
    BOOKING,
    BOOKING_BY_EXTERNAL_ID,
    CREATE_BOOKING,
    DISMISS_BOOKING,
)
from bot.verification.servicetitan.errors import ScopeMissing, Unauthorized

CHECK = "test_booking"
DISMISSED = "Dismissed"
# Schema BookingStatus of the OpenAPI description of CRM (developer.servicetitan.io).
STATUSES = ("New", "Converted", DISMISSED, "Accepted")
MEMO = "Test by HeavySet Tech"
# Without a start, the live service stored the year 1, and somebody had to dismiss it.
AHEAD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Booking:
    """The booking of a run. `sent`: an earlier run sent it, so it may have arrived.

    `may_send` is called once, before it is sent, to record that permanently; False: do not send.
    """

    external_id: str
    sent: bool
    may_send: Callable[[], Awaitable[bool]]


class _Record(NamedTuple):
    number: str
    status: str


async def book(access: Access, booking: Booking, now: datetime) -> Finding:
    """Create the test booking, unless it exists, and dismiss it. Raises no RequestError."""
    try:
        made = await _look_for(access, booking) or await _create(access, booking, now)
        return made if isinstance(made, Finding) else await _dismiss(access, booking, made.number)
    except RequestError as error:
        return Finding(CHECK, f"{booking.external_id}: {error}", cause_of_error(error))


async def _look_for(access: Access, booking: Booking) -> _Record | None:
    """Return the booking with our externalId, never another, even if the filter is ignored."""
    page = await access.get(BOOKING_BY_EXTERNAL_ID, external_id=booking.external_id)
    records = page.get("data")
    ours = (_ours(booking, one) for one in (records if isinstance(records, list) else ()))
    return next((one for one in ours if one), None)


async def _create(access: Access, booking: Booking, now: datetime) -> _Record | Finding:
    """Send the booking; if the outcome is unknown, look for it."""
    if booking.sent:
        return _lost(booking, "sent in an earlier run")
    await access.fresh()  # a missing token must not look like a lost booking
    if not await booking.may_send():
        return Finding(CHECK, f"{booking.external_id} was not sent", "booking_held_back")
    told = "HTTP 200 without the booking"
    try:
        if made := _ours(booking, await access.post(CREATE_BOOKING, form(booking, now))):
            return made
    except ScopeMissing as error:
        return Finding(CHECK, f"POST: {error}", "scopes_missing", {"missing": "Write: Bookings"})
    except (NoAnswer, TooManyRequests, Unauthorized) as error:
        told = str(error)
    except RequestError as error:
        return Finding(CHECK, f"POST: {error}", "booking_refused")
    return await _look_for(access, booking) or _lost(booking, told)


def _lost(booking: Booking, told: str) -> Finding:
    return Finding(CHECK, f"{booking.external_id}: POST: {told}; it is not there", "booking_lost")


async def _dismiss(access: Access, booking: Booking, number: str) -> Finding:
    """Look the booking up by its id, and try to dismiss it."""
    seen = _ours(booking, await access.get(BOOKING, booking=number))
    if seen is None:
        told = f"GET of booking {number} does not bring {booking.external_id}"
        return Finding(CHECK, told, "unclear")
    told = "dismissed before"
    if seen.status != DISMISSED:
        told = "dismiss: HTTP 200"
        try:
            await access.post(DISMISS_BOOKING, {"dismissingMemo": MEMO}, booking=number)
        except RequestError as error:
            told = f"dismiss: {error}"
        with suppress(RequestError):  # the booking itself says more than the response
            seen = _ours(booking, await access.get(BOOKING, booking=number)) or seen
    cause = "booking_dismissed" if seen.status == DISMISSED else "booking_to_dismiss"
    shown = f"booking {number} ({booking.external_id}), {seen.status}; {told}"
    return Finding(CHECK, shown, cause, {"number": number})


def _ours(booking: Booking, body: object) -> _Record | None:
    """Return the booking in a response, if it is ours and has an id."""
    if not isinstance(body, dict) or body.get("externalId") != booking.external_id:
        return None
    number, status = str(body.get("id", "")), body.get("status")
    known = status if status in STATUSES else "another status"
    return _Record(number, known) if re.fullmatch(r"[0-9]{1,19}", number) else None


def form(booking: Booking, now: datetime) -> dict[str, Any]:
    """Return the booking to send, which nobody can mistake for a customer's.

    It is pure ASCII, because the live service mangled other letters. The email address's domain has
    no mail (RFC 2606), and the phone number is reserved for fiction.
    """
    start = (now + AHEAD).replace(minute=0, second=0, microsecond=0)
    return {
        "source": "HeavySet Tech",
        "name": "TEST - please dismiss",
        "summary": (
            "TEST by HeavySet Tech: shows that the integration can make bookings. There is no "
            f"customer and nothing to do. Please dismiss it. {booking.external_id}"
        ),
        "isFirstTimeClient": True,
        "isSendConfirmationEmail": False,
        "externalId": booking.external_id,
        "start": start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "contacts": [
            {"type": "Email", "value": "test-booking@example.com", "memo": "TEST - do not write"},
            {"type": "Phone", "value": "202-555-0143", "memo": "TEST - do not call"},
        ],
    }
