"""Bookings of the pretend ServiceTitan: made, listed, read and dismissed under their provider."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from aiohttp import web
from pydantic import ValidationError

from sandbox.servicetitan.api import PROVIDER, READS
from sandbox.servicetitan.booking_form import CreateBookingRequest, DismissBookingRequest, errors_of

Json = dict[str, Any]
# Newer descriptions list `dismiss`, older ones do not, and nobody tells of a live tenant.
DismissStatus = Literal[200, 403, 404]

READ_SCOPE, WRITE_SCOPE = "tn.crm.bookings:r", "tn.crm.bookings:w"
NO_START = "0001-01-01T00:00:00Z"  # seen live: what is stored when no start is sent
LARGEST_PAGE = 5000
FIRST_ID = 500_000_001


class Gate(Protocol):
    """Lets requests in, and words the refusals."""

    def refuse(self, request: web.Request, scope: str) -> web.Response | None: ...

    def refuse_provider(self, request: web.Request) -> web.Response | None: ...

    def problem(
        self, status: int, title: str, *, errors: dict[str, list[str]] | None = None
    ) -> web.Response: ...


@dataclass
class Booking:
    """A booking that was made; `sent` is the request, word for word."""

    id: int
    provider: str
    sent: Json
    status: str = "New"
    dismissing_memo: str | None = None
    created_on: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def external_id(self) -> str:
        return str(self.sent["externalId"])

    def to_api(self) -> Json:
        """The booking as the API answers; its contacts are a resource of their own."""
        shown = {name: self.sent.get(name) for name in CreateBookingRequest.model_fields}
        del shown["contacts"]
        created = self.created_on.isoformat().replace("+00:00", "Z")
        return {
            "id": self.id,
            **_without_other_letters(shown),
            "start": self.sent.get("start") or NO_START,
            "status": self.status,
            "jobId": None,
            "bookingProviderId": int(self.provider),
            "createdOn": created,
            "modifiedOn": created,
        }


class BookingEndpoints:
    """The requests about bookings, behind `gate`."""

    def __init__(self, gate: Gate) -> None:
        self.made: list[Booking] = []
        self.dismiss_status: DismissStatus = 200
        self._gate = gate

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Serve them; the names are those that `fail` knows."""
        one = PROVIDER + r"/bookings/{id:\d+}"
        router.add_get(f"{PROVIDER}/bookings", self._list, name="bookings")
        router.add_post(f"{PROVIDER}/bookings", self._create, name="create-booking")
        router.add_get(one, self._get, name="get-booking")
        router.add_post(f"{one}/dismiss", self._dismiss, name="dismiss-booking")

    async def _create(self, request: web.Request) -> web.Response:
        # The scope is checked before the body: a POST of nothing tells whether one may write.
        if refusal := self._refuse(request, WRITE_SCOPE):
            return refusal
        try:
            CreateBookingRequest.model_validate_json(await request.read())
        except ValidationError as error:
            return self._invalid(errors_of(error))
        # An externalId that is there already is no reason to refuse: seen live.
        number = FIRST_ID + len(self.made)
        booking = Booking(number, request.match_info["booking_provider"], await request.json())
        self.made.append(booking)
        return web.json_response(booking.to_api())

    async def _list(self, request: web.Request) -> web.Response:
        if refusal := self._refuse(request, READ_SCOPE):
            return refusal
        return self.page(request, request.match_info["booking_provider"])

    async def _get(self, request: web.Request) -> web.Response:
        if refusal := self._refuse(request, READ_SCOPE):
            return refusal
        booking = self._find(request)
        return web.json_response(booking.to_api()) if booking else self._not_found()

    async def _dismiss(self, request: web.Request) -> web.Response:
        if self.dismiss_status == 404:
            raise web.HTTPNotFound  # as of a path that nobody knows
        if refusal := self._refuse(request, WRITE_SCOPE):
            return refusal
        if self.dismiss_status == 403:
            return self._gate.problem(403, "The application is restricted to a booking provider.")
        try:
            wanted = DismissBookingRequest.model_validate_json(await request.read())
        except ValidationError as error:
            return self._invalid(errors_of(error))
        booking = self._find(request)
        if booking is None:
            return self._not_found()
        booking.status, booking.dismissing_memo = "Dismissed", wanted.dismissingMemo
        return web.Response()

    def page(self, request: web.Request, provider: str | None) -> web.Response:
        """One page of the bookings: an earlier one of somebody else, then those made here.

        Unknown filters are refused by name rather than ignored.
        """
        query = request.query
        known = {"page", "pageSize", "includeTotal", "externalId"}
        if unknown := sorted(query.keys() - known):
            return self._invalid({name: ["The sandbox has no such filter."] for name in unknown})
        try:
            number, size = int(query.get("page", 1)), int(query.get("pageSize", 50))
        except ValueError:
            number, size = 0, 0
        if number < 1 or not 1 <= size <= LARGEST_PAGE:
            return self._invalid({"page": ["page must be from 1, pageSize from 1 to 5000."]})
        found = [
            each
            for each in self._records(provider)
            if query.get("externalId") in (None, each.get("externalId"))
        ]
        start = (number - 1) * size
        answer: Json = {
            "page": number,
            "pageSize": size,
            "hasMore": start + size < len(found),
            "data": found[start : start + size],
        }
        if query.get("includeTotal", "").lower() == "true":
            answer["totalCount"] = len(found)
        return web.json_response(answer)

    def _records(self, provider: str | None) -> Iterator[Json]:
        yield READS["bookings"].record
        for booking in self.made:
            if provider in (None, booking.provider):
                yield booking.to_api()

    def _find(self, request: web.Request) -> Booking | None:
        number, provider = request.match_info["id"], request.match_info["booking_provider"]
        for booking in self.made:
            if (str(booking.id), booking.provider) == (number, provider):
                return booking
        return None

    def _refuse(self, request: web.Request, scope: str) -> web.Response | None:
        return self._gate.refuse(request, scope) or self._gate.refuse_provider(request)

    def _invalid(self, errors: dict[str, list[str]]) -> web.Response:
        title = "One or more validation errors occurred."
        return self._gate.problem(400, title, errors=errors)

    def _not_found(self) -> web.Response:
        return self._gate.problem(404, "Booking not found.")


def _without_other_letters(value: Any) -> Any:
    """Letters outside of ASCII come back as U+FFFD, as a live tenant did it."""
    match value:
        case str():
            return "".join(letter if letter.isascii() else "\ufffd" for letter in value)
        case dict():
            return {name: _without_other_letters(each) for name, each in value.items()}
        case list():
            return [_without_other_letters(each) for each in value]
    return value
