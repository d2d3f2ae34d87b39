"""A pretend Slack: stateful, strict, and accessed over real HTTP."""

from sandbox.slack.app import Manifest
from sandbox.slack.delivery import Ack
from sandbox.slack.errors import NotOfferedError
from sandbox.slack.model import Channel, Invitation, Message, Team, User, View
from sandbox.slack.outages import Hit, Outage, Trouble
from sandbox.slack.people import CommandReply, Person, Press
from sandbox.slack.sandbox import SlackSandbox
from sandbox.slack.server import Call
from sandbox.slack.socket_mode import HandshakeTrouble, LineTrouble
from sandbox.slack.submissions import Submission
from sandbox.slack.visible_text import buttons, offers, visible_text

__all__ = [
    "Ack",
    "Call",
    "Channel",
    "CommandReply",
    "HandshakeTrouble",
    "Hit",
    "Invitation",
    "LineTrouble",
    "Manifest",
    "Message",
    "NotOfferedError",
    "Outage",
    "Person",
    "Press",
    "SlackSandbox",
    "Submission",
    "Team",
    "Trouble",
    "User",
    "View",
    "buttons",
    "offers",
    "visible_text",
]
