"""The client of ServiceTitan's API, its endpoints and its errors."""

from bot.verification.servicetitan.client import ServiceTitan as ServiceTitan
from bot.verification.servicetitan.token_claims import Token as Token
