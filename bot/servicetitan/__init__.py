"""ServiceTitan's API: the client, the endpoints that prove something, and its refusals."""

from bot.servicetitan.client import Credentials, Patience, ServiceTitan
from bot.servicetitan.tokens import Token

__all__ = ["Credentials", "Patience", "ServiceTitan", "Token"]
