"""A pretend Slack: stateful, strict, and accessed over real HTTP."""

from sandbox.slack.delivery import Ack as Ack
from sandbox.slack.errors import NotOfferedError as NotOfferedError
from sandbox.slack.manifest import Manifest as Manifest
from sandbox.slack.model import (
    Channel as Channel,
    Invitation as Invitation,
    Message as Message,
    Team as Team,
    View as View,
)
from sandbox.slack.outages import Outage as Outage, Trouble as Trouble
from sandbox.slack.people import CommandReply as CommandReply, Person as Person, Press as Press
from sandbox.slack.sandbox import SlackSandbox as SlackSandbox
from sandbox.slack.server import Call as Call
from sandbox.slack.socket_mode import (
    HandshakeTrouble as HandshakeTrouble,
    LineTrouble as LineTrouble,
)
from sandbox.slack.submissions import Submission as Submission
from sandbox.slack.visible_text import (
    buttons as buttons,
    offers as offers,
    visible_text as visible_text,
)
