"""The command line. Each command imports what it needs, so that `keys generate` starts at once."""

import sys
from pathlib import Path

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run and look after the onboarding bot. Its settings come from the environment and .env."""
    from bot.private_files import keep_to_ourselves

    keep_to_ourselves()


@main.command()
def run() -> None:
    """Run the bot until SIGTERM or Ctrl-C."""
    from bot.run import run as run_bot

    sys.exit(run_bot())


@main.command()
@click.option("--play", is_flag=True, help="Play one whole onboarding with scripted people.")
@click.option("--real-limits", is_flag=True, help="Let Slack limit the calls as the real one does.")
def sandbox(play: bool, real_limits: bool) -> None:
    """Run the bot against a pretend Slack and a pretend ServiceTitan."""
    from sandbox.__main__ import main as run_sandbox

    sys.exit(run_sandbox(play=play, real_limits=real_limits))


@main.group()
def keys() -> None:
    """Make, change and check the keys that encrypt the credentials."""


@keys.command()
def generate() -> None:
    """Print a new key: a value for CREDENTIAL_KEYS."""
    import base64
    import secrets

    click.echo(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())


@keys.command()
def rotate() -> None:
    """Encrypt every stored value with the first key, while the bot runs."""
    from bot.run import rotate_keys

    sys.exit(rotate_keys())


@keys.command(name="check")
def check_keys() -> None:
    """Try to read every stored value; say which keys are in use."""
    from bot.run import check_keys as check

    sys.exit(check())


@main.command()
def doctor() -> None:
    """Try every part that the bot needs, and say how to mend what is broken."""
    from bot.run import doctor as examine

    sys.exit(examine())


@main.command()
def purge() -> None:
    """Destroy the values of all finished onboardings now; the history is kept."""
    from bot.run import purge as purge_values

    sys.exit(purge_values())


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
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file instead of here.")
def export(onboarding: str, format_: str, output: Path | None) -> None:
    """Write the history of ONBOARDING: its id, or a part of the client's name."""
    from bot.run import export_history

    sys.exit(export_history(onboarding, format_, output))


@main.group()
def db() -> None:
    """Look after the database."""


@db.command()
def upgrade() -> None:
    """Bring the tables to the newest revision."""
    from bot.run import upgrade_database

    sys.exit(upgrade_database())


@db.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Copy the SQLite database to FILE, while the bot runs."""
    from bot.run import back_up

    sys.exit(back_up(file))


@db.command()
def restored() -> None:
    """Say that a backup was put back, before the bot is started on it."""
    from bot.run import take_note_of_restored

    sys.exit(take_note_of_restored())


@db.command(name="check")
def check_database() -> None:
    """Say whether the tables are at the newest revision."""
    from bot.run import check_database as check

    sys.exit(check())
