"""The command line. Each command imports what it needs, so that `keys generate` starts instantly.

A command returns its exit status (None: 0).
"""

import gc
import io
import sys
from pathlib import Path
from typing import TextIO

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run and manage the onboarding bot. Settings come from the environment and .env."""
    from bot.cli.private_files import protect_new_files

    protect_new_files()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # do not fail on a terminal without UTF-8
            stream.reconfigure(errors="backslashreplace")


@main.result_callback()
def exit_with(status: int | None) -> None:
    sys.exit(status)


@main.command()
@click.option(
    "--transport",
    type=click.Choice(["socket", "http"]),
    help="How Slack's requests arrive. Socket Mode needs no public address.",
)
@click.option("--address", metavar="URL", help="The bot's public https address, for HTTP.")
@click.option("--bot-token", "SLACK_BOT_TOKEN", metavar="TOKEN", help="xoxb-…")
@click.option("--app-token", "SLACK_APP_TOKEN", metavar="TOKEN", help="xapp-…, for Socket Mode.")
@click.option("--signing-secret", "SLACK_SIGNING_SECRET", metavar="SECRET", help="For HTTP.")
@click.option("--engineering-channel", "ENGINEERING_CHANNEL", metavar="ID", help="C…")
@click.option(
    "--engineers", "ENGINEERS", metavar="IDS", help="U… and S…, separated by commas, or “everyone”."
)
@click.option(
    "--database-url", "DATABASE_URL", metavar="URL", help="PostgreSQL instead of a SQLite file."
)
@click.option("--check/--no-check", default=True, help="Try each answer with Slack.")
@click.option("--yes", is_flag=True, help="Ask nothing; write .env and manifest.json.")
def init(
    *, transport: str | None, address: str | None, yes: bool, check: bool, **flags: str
) -> int:
    """Ask for what the bot needs, check it, and write .env.

    Answers also come from the environment and an existing .env. Prefer those for secrets in a
    script: other users of a machine can see the words of a command.
    """
    from bot.cli.init import Init

    given = {name: value for name, value in flags.items() if value}
    return Init(given, transport=transport, address=address, yes=yes, check=check).run()


@main.command()
def run() -> int:
    """Run the bot until SIGTERM or Ctrl-C."""
    gc.disable()  # until it runs: collecting garbage takes a quarter of the import time
    from bot.cli.run import run as run_bot

    return run_bot()


@main.command()
@click.option("--play", is_flag=True, help="Play one scripted onboarding from start to finish.")
@click.option("--real-limits", is_flag=True, help="Apply Slack's real rate limits.")
@click.option("--web", is_flag=True, help="Play both sides in a browser.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, help="With --web: the port.")
def sandbox(play: bool, real_limits: bool, web: bool, port: int) -> int:
    """Run the bot against a simulated Slack and ServiceTitan."""
    import asyncio

    from sandbox.interactive import walk
    from sandbox.scenario import play as play_onboarding
    from sandbox.web.server import serve

    if web:
        running = serve(port)
    elif play:
        running = play_onboarding(real_limits=real_limits)
    else:
        running = walk()
    try:
        return asyncio.run(running)
    except KeyboardInterrupt:
        return 130


@main.group()
def keys() -> None:
    """Create, rotate, and check encryption keys."""


@keys.command()
def generate() -> None:
    """Print a new key: a value for CREDENTIAL_KEYS."""
    from bot.app.new_key import new_key

    click.echo(new_key())


@keys.command()
def rotate() -> int:
    """Re-encrypt everything with the first key; safe while running."""
    from bot.cli.commands import rotate_keys

    return rotate_keys()


@keys.command(name="check")
def check_keys() -> int:
    """Check that every stored value can be read, and with which key."""
    from bot.cli.commands import check_keys as check

    return check()


@main.command()
@click.option("--blocks", is_flag=True, help="Send every message and window to Slack's validator.")
def doctor(blocks: bool) -> int:
    """Check everything the bot needs, and say how to fix what's broken."""
    from bot.cli.commands import doctor as examine

    return examine(blocks=blocks)


@main.command()
def purge() -> int:
    """Delete finished onboardings' credentials now; history is kept."""
    from bot.cli.commands import purge as purge_values

    return purge_values()


@main.command()
@click.argument("onboarding")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["md", "json", "html"]),
    default="md",
    show_default=True,
    help="Markdown, JSON, or one HTML file with its charts.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
def export(onboarding: str, format_: str, output: Path | None) -> int:
    """Export the history of ONBOARDING (an ID or part of the client's name)."""
    from bot.cli.commands import export_history

    return export_history(onboarding, format_, output)


@main.command()
@click.option(
    "--format",
    "format_",
    type=click.Choice(["md", "csv", "json", "html"]),
    default="md",
    show_default=True,
    help="Markdown, a spreadsheet with a row per client, JSON, or one HTML file with its charts.",
)
@click.option("--since", default="all", show_default=True, help="How far back: 90d, for example.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
def report(format_: str, since: str, output: Path | None) -> int:
    """Report on all onboardings: how long they take, where they get stuck, who answers."""
    from bot.cli.commands import report_on_all

    return report_on_all(since, format_, output)


@main.group(name="guide")
def guide_() -> None:
    """Look at the guide."""


@guide_.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Write to this file."
)
@click.option("--guide", "file", default="", help="The same as GUIDE.")
@click.argument("guide", default="")
def preview(output: Path, file: str, guide: str) -> int:
    """Draw every message and window of GUIDE on one HTML page.

    GUIDE is the id, the folder or the file of a guide; by default, it's ServiceTitan's.
    """
    from bot.cli.commands import preview_guide

    return preview_guide(output, guide or file)


@main.group()
def db() -> None:
    """Manage the database."""


@db.command()
@click.option("--force", is_flag=True, help="Ignore connections of other processes.")
def upgrade(force: bool) -> int:
    """Apply all migrations."""
    from bot.cli.commands import upgrade_database

    return upgrade_database(force=force)


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> int:
    """Copy the SQLite database to FILE, while the bot runs."""
    from bot.cli.commands import back_up

    return back_up(file)


@db.command()
@click.option("--to", required=True, metavar="URL", help="An empty database, as in DATABASE_URL.")
def copy(to: str) -> int:
    """Copy everything to another database and check it there. Stop the bot first."""
    from bot.cli.database_copy import copy_database

    return copy_database(to)


@db.command()
def restored() -> int:
    """Run this after restoring a backup, before starting the bot."""
    from bot.cli.commands import mark_restored

    return mark_restored()


@db.command(name="check")
@click.option(
    "--heads",
    type=click.File("r", encoding="utf-8", errors="replace"),
    help="The bot's log, kept where database users can't write to it; “-” reads standard input.",
)
def check_database(heads: TextIO | None) -> int:
    """Check migrations and that nobody altered the history."""
    from bot.cli.commands import check_database as check

    return check(heads or ())
