"""What the pretend Slack refuses: calls of the bot, and actions of a person."""

from typing import Any


class SlackError(Exception):
    """A Web API call that Slack answers with `ok: false`; `details` are added to the response."""

    def __init__(self, error: str, **details: Any) -> None:
        super().__init__(error)
        self.error = error
        self.details = details

    @classmethod
    def because(cls, error: str, *messages: str) -> "SlackError":
        """The error with Slack's explanations in `response_metadata.messages`."""
        return cls(error, response_metadata={"messages": list(messages)})


class NotOfferedError(Exception):
    """A person wants to do something that Slack doesn't offer, such as press an absent button."""
