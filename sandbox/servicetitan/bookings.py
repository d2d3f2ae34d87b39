"""Bookings in the pretend ServiceTitan: created, listed, read, dismissed under their provider."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from sandbox.servicetitan.booking_form import CreateBookingRequest, DismissBookingRequest, errors_of
from sandbox.servicetitan.endpoints import PROVIDER, READS, Refused

if TYPE_CHECKING:
    from sandbox.servicetitan.server import ServiceTitanSandbox

Json = dict[str, Any]
# Newer descriptions list `dismiss`, older ones don't; what a live tenant does isn't documented.
DismissStatus = Literal[200, 403, 404]
Form = TypeVar("Form", bound=BaseModel)

READ_SCOPE, WRITE_SCOPE = "tn.crm.bookings:r", "tn.crm.bookings:w"
NO_START = "0001-01-01T00:00:00Z"  # seen live: what is stored when no start is sent
LARGEST_PAGE = 5000
FIRST_ID = 500_000_001


@dataclass
class Booking:
    """A booking that was created; `sent` is the request, verbatim."""

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
        """The booking as the API returns it; its contacts are a separate resource."""
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
    """The requests about bookings that the server lets through."""

    def __init__(self, server: "ServiceTitanSandbox") -> None:
        self._server = server

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Serve them under the names that `fail` knows."""
        one = PROVIDER + r"/bookings/{id:\d+}"
        router.add_get(f"{PROVIDER}/bookings", self._list, name="bookings")
        router.add_post(f"{PROVIDER}/bookings", self._create, name="create-booking")
        router.add_get(one, self._get, name="get-booking")
        router.add_post(f"{one}/dismiss", self._dismiss, name="dismiss-booking")

    async def _create(self, request: web.Request) -> web.Response:
        # The scope is checked before the body: an empty POST shows whether the app may write.
        self._check(request, WRITE_SCOPE)
        await _checked_body(request, CreateBookingRequest)
        # An externalId that already exists is no reason to refuse: seen live.
        number = FIRST_ID + len(self._server.bookings)
        booking = Booking(number, request.match_info["booking_provider"], await request.json())
        self._server.bookings.append(booking)
        return web.json_response(booking.to_api())

    async def _list(self, request: web.Request) -> web.Response:
        self._check(request, READ_SCOPE)
        return self.page(request, request.match_info["booking_provider"])

    async def _get(self, request: web.Request) -> web.Response:
        self._check(request, READ_SCOPE)
        return web.json_response(self._find(request).to_api())

    async def _dismiss(self, request: web.Request) -> web.Response:
        if self._server.dismiss_status == 404:
            raise web.HTTPNotFound  # as for an unknown path
        self._check(request, WRITE_SCOPE)
        if self._server.dismiss_status == 403:
            raise Refused(403, "The application is restricted to a booking provider.")
        wanted = await _checked_body(request, DismissBookingRequest)
        booking = self._find(request)
        booking.status, booking.dismissing_memo = "Dismissed", wanted.dismissingMemo
        return web.Response()

    def page(self, request: web.Request, provider: str | None) -> web.Response:
        """One page of bookings: an earlier one by someone else, then those created here.

        Unknown filters are refused by name rather than ignored.
        """
        query = request.query
        known = {"page", "pageSize", "includeTotal", "externalId"}
        if unknown := sorted(query.keys() - known):
            raise _invalid({name: ["The sandbox has no such filter."] for name in unknown})
        try:
            number, size = int(query.get("page", 1)), int(query.get("pageSize", 50))
        except ValueError:
            number, size = 0, 0
        if number < 1 or not 1 <= size <= LARGEST_PAGE:
            raise _invalid({"page": ["page must be from 1, pageSize from 1 to 5000."]})
        created = [
            booking.to_api()
            for booking in self._server.bookings
            if provider in (None, booking.provider)
        ]
        found = [
            each
            for each in (READS["bookings"].record, *created)
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

    def _find(self, request: web.Request) -> Booking:
        number, provider = request.match_info["id"], request.match_info["booking_provider"]
        for booking in self._server.bookings:
            if (str(booking.id), booking.provider) == (number, provider):
                return booking
        raise Refused(404, "Booking not found.")

    def _check(self, request: web.Request, scope: str) -> None:
        tenant = self._server.tenant_of(request)
        tenant.check(request, scope)
        tenant.check_provider(request)


async def _checked_body(request: web.Request, form: type[Form]) -> Form:
    try:
        return form.model_validate_json(await request.read())
    except ValidationError as error:
        raise _invalid(errors_of(error)) from None


def _without_other_letters(value: Any) -> Any:
    """Replace letters outside ASCII by U+FFFD, as a live tenant did."""
    match value:
        case str():
            return "".join(letter if letter.isascii() else "\ufffd" for letter in value)
        case dict():
            return {name: _without_other_letters(each) for name, each in value.items()}
        case list():
            return [_without_other_letters(each) for each in value]
    return value


def _invalid(errors: dict[str, list[str]]) -> Refused:
    return Refused(400, "One or more validation errors occurred.", errors)
