"""The guides that the settings name: ours, and those in GUIDES."""

from pathlib import Path

from bot.app.settings import Settings
from bot.guide.loading import FOLDER, files_in
from storage.guides import GuideStore


def guide_files(settings: Settings) -> list[Path]:
    """Return the main file of each guide, the default first."""
    return [*files_in(FOLDER), *(files_in(Path(settings.guides)) if settings.guides else [])]


def guide_store(settings: Settings) -> GuideStore:
    """Read all guides; raises GuideError if one is broken."""
    return GuideStore(
        *guide_files(settings),
        email=settings.support_email,
        description=settings.app_description,
        has_our_key=settings.servicetitan_application_key is not None,
    )
