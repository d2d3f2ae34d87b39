"""What a booking must look like to be accepted: the schemas of ServiceTitan's CRM description.

The properties have ServiceTitan's own names; anything the description doesn't list is refused.
"""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Text = Annotated[str, Field(min_length=1)]


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Address(_Schema):
    """Crm.V2.AddressModel"""

    street: str
    unit: str | None = None
    city: str
    state: str
    zip: str
    country: str


class Contact(_Schema):
    """Crm.V2.BookingContactModel"""

    type: Literal["Phone", "Email", "Fax", "MobilePhone"]
    value: Text
    memo: str | None = None


class CreateBookingRequest(_Schema):
    """Crm.V2.CreateBookingRequest"""

    source: Text
    name: Text
    address: Address | None = None
    contacts: list[Contact] | None = None
    customerType: Literal["Residential", "Commercial"] | None = None  # noqa: N815
    start: AwareDatetime | None = None
    summary: Text
    campaignId: Int64 | None = None  # noqa: N815
    businessUnitId: Int64 | None = None  # noqa: N815
    jobTypeId: Int64 | None = None  # noqa: N815
    priority: Literal["Low", "Normal", "High", "Urgent"] | None = None
    isFirstTimeClient: bool  # noqa: N815
    uploadedImages: list[str] | None = None  # noqa: N815
    isSendConfirmationEmail: bool | None = None  # noqa: N815
    externalId: Text  # noqa: N815

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.address is None and not self.contacts:
            raise ValueError("An address or a contact is required.")
        return self


class DismissBookingRequest(_Schema):
    """Crm.V2.DismissBookingRequest, of the newer descriptions"""

    callReasonId: Int64 | None = None  # noqa: N815
    dismissingMemo: str | None = None  # noqa: N815


def errors_of(error: ValidationError) -> dict[str, list[str]]:
    """The `errors` of the answer: texts by the path of the property."""
    errors: dict[str, list[str]] = {}
    for each in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in each["loc"]) or "request"
        text = each["msg"]
        if each["type"] == "missing":  # worded as in a live response
            text = f"Required property '{path}' not found in JSON."
        errors.setdefault(path, []).append(text)
    return errors
