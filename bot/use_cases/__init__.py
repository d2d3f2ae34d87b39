"""What people can do, and what happens to a channel: a file per feature, one method per thing.

Each method finds out who asks and whether they may, makes one transaction, and has Slack brought
level. It may raise Refused, with words for the person, or Unavailable.
"""

from bot.use_cases.base import InvalidInput, NeedsConfirmation, Opening, Request, Services
from bot.use_cases.channels import Channels
from bot.use_cases.credentials import Credentials
from bot.use_cases.exposure import Exposure
from bot.use_cases.help import Help
from bot.use_cases.history import History
from bot.use_cases.home import Home
from bot.use_cases.inviting import Inviting
from bot.use_cases.managing import Managing
from bot.use_cases.overview import Overview
from bot.use_cases.reminders import Reminders
from bot.use_cases.retention import Retention
from bot.use_cases.starting import Starting
from bot.use_cases.steps import Steps
from bot.use_cases.verification import Verification
from bot.use_cases.words import Words

__all__ = ["InvalidInput", "NeedsConfirmation", "Opening", "Request", "Services", "UseCases"]


class UseCases:
    """All of them."""

    def __init__(self, services: Services) -> None:
        """Take what they work with."""
        self.starting = Starting(services)
        self.inviting = Inviting(services, self.starting)
        self.steps = Steps(services)
        self.credentials = Credentials(services)
        self.help = Help(services)
        self.verification = Verification(services)
        self.reminders = Reminders(services)
        self.retention = Retention(services)
        self.overview = Overview(services)
        self.managing = Managing(services)
        self.history = History(services)
        self.home = Home(services)
        self.channels = Channels(services)
        self.exposure = Exposure(services)
        self.words = Words(services, self.steps, self.help)
