"""Which pictures a step shows, and where Slack gets them.

A picture comes from the first of these that has one: `figure.image` in the guide's file,
GUIDE_IMAGES, and our own schematics.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from bot.guide.loading import SERVICETITAN
from bot.guide.model import Guide, Step

SCHEMATICS = "schematics"  # the folder beside a guide's text
# step-03.png is the picture of step 3, step-03-2.png its second one.
NAME = re.compile(r"step-(\d\d)(?:-([2-9]))?\.(?:png|jpg|jpeg|gif)")
LOOKS_LIKE_ONE = re.compile(r".*\.(?:png|jpe?g|gif|webp|bmp|tiff?|heic)", re.IGNORECASE)
# What Slack shows (docs.slack.dev, image block), by its first bytes.
TYPES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}
LARGEST_BYTES = 2 * 1024 * 1024  # people look at them on phones
PATH = "/guide"  # of the pictures on our own server


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that Slack can get: at an address, or as a file that was uploaded to Slack."""

    caption: str
    shows: str = ""
    url: str = ""
    file_id: str = ""
    is_schematic: bool = False


StepPictures = Callable[[Step], Sequence[Picture]]


def no_pictures(_step: Step) -> Sequence[Picture]:
    """Return nothing: the step's words say what its figure shows."""
    return ()


@dataclass(frozen=True)
class PictureFile:
    """A file with a picture, named like step-03.png."""

    name: str
    content: bytes = field(repr=False)
    is_schematic: bool = False

    @property
    def step(self) -> int:
        return int(self.name[5:7])

    @property
    def content_type(self) -> str:
        """The type of its content, whatever its name says."""
        return type_of(self.content) or ""

    @cached_property
    def digest(self) -> str:
        """A digest of its content: a renamed picture is still the same one."""
        return hashlib.sha256(self.content).hexdigest()


def type_of(content: bytes) -> str | None:
    """Return the type of a picture; None for what Slack doesn't show."""
    return next((kind for start, kind in TYPES.items() if content.startswith(start)), None)


def problem_with(content: bytes) -> str | None:
    """Return what is wrong with the content of a picture; None if Slack shows it."""
    if len(content) > LARGEST_BYTES:
        return f"is larger than {LARGEST_BYTES // 1024 // 1024} MB"
    return None if type_of(content) else "isn't a PNG, JPEG, or GIF"


@dataclass(frozen=True)
class PictureSources:
    """Where a guide's pictures are: files, or a `base_url`, under which they have the same names.

    Slack gets files from our server at `public_url`; without one, they have to be uploaded.
    """

    captions: Mapping[int, str]
    files: Sequence[PictureFile] = ()
    base_url: str = ""
    public_url: str = ""
    path: str = PATH  # of the files on our own server

    @property
    def served(self) -> Sequence[tuple[str, PictureFile]]:
        """The files that Slack gets from our server, with their paths there."""
        return [(f"{self.path}/{file.name}", file) for file in self.files if self.public_url]

    @property
    def to_upload(self) -> Sequence[PictureFile]:
        """The files that Slack can't get from our server."""
        return () if self.public_url else self.files

    def of(self, step: Step, uploaded: Mapping[str, str]) -> Sequence[Picture]:
        """Return the pictures of a step; `uploaded` has the ids of files in Slack by digest.

        Files belong to the newest guide: an older version may have another screen in that place.
        """
        caption, figure = caption_of(step), step.figure
        shows = (figure.shows if figure else None) or ""
        if figure and figure.image:
            return [Picture(caption, shows, figure.image)]
        if self.captions.get(step.number) != caption:
            return []
        if self.base_url:
            url = f"{self.base_url}/step-{step.number:02}.png"
            return [Picture(caption, shows, url)] if figure else []
        found: list[Picture] = []
        for file in self.files:
            if file.step == step.number and (self.public_url or file.digest in uploaded):
                # The guide's text about the figure describes its first picture.
                words, file_id = "" if found else shows, uploaded.get(file.digest, "")
                url = self.url_of(file)
                found.append(Picture(caption, words, url, file_id, file.is_schematic))
        return found

    def url_of(self, file: PictureFile) -> str:
        """Return a file's address on our server; it changes with the content, as Slack caches."""
        if not self.public_url:
            return ""
        return f"{self.public_url}{self.path}/{file.name}?{file.digest[:8]}"


def caption_of(step: Step) -> str:
    """Return what a step's pictures are called."""
    return step.figure.caption if step.figure else step.title


def find_all(
    guides: Mapping[Path, Guide], images: str | None, public_url: str | None
) -> tuple[list[PictureSources], dict[str, str]]:
    """Return where the pictures of all guides are, by guide file; the first is the default.

    GUIDE_IMAGES has the pictures of the default guide, and a folder for each other one, by its id.
    """
    found: list[PictureSources] = []
    problems: dict[str, str] = {}
    for file, guide in guides.items():
        inside = f"/{guide.id}" if found else ""
        theirs = f"{images.rstrip('/')}{inside}" if images else None
        sources, wrong = find(guide, theirs, public_url, file.parent)
        found.append(replace(sources, path=f"{PATH}{inside}"))
        problems |= {f"{inside}/{name}".lstrip("/"): problem for name, problem in wrong.items()}
    return found, problems


def find(
    guide: Guide,
    images: str | None,
    public_url: str | None,
    folder: Path = SERVICETITAN.parent,
) -> tuple[PictureSources, dict[str, str]]:
    """Return where a guide's pictures are, by GUIDE_IMAGES and PUBLIC_URL.

    `folder` is the guide's own, which may have schematics. Also returns what is wrong with files
    that can't be used, by name.
    """
    captions = {step.number: caption_of(step) for step in guide.steps}
    if images and "://" in images:
        return PictureSources(captions, base_url=images.rstrip("/")), {}
    files, problems = _read(Path(images), captions) if images else ([], {})
    schematics, _ = _read(folder / SCHEMATICS, captions)
    given = {file.step for file in files}
    files += [replace(one, is_schematic=True) for one in schematics if one.step not in given]
    return PictureSources(captions, files, public_url=public_url or ""), problems


def _read(folder: Path, steps: Collection[int]) -> tuple[list[PictureFile], dict[str, str]]:
    files, problems = [], {}
    paths = folder.iterdir() if folder.is_dir() else ()
    # A drawing's source may be beside it.
    for path in sorted(path for path in paths if LOOKS_LIKE_ONE.fullmatch(path.name)):
        named = NAME.fullmatch(path.name)
        if not named or int(named[1]) not in steps:
            problems[path.name] = "isn't named after a step of the guide, such as step-03.png"
            continue
        try:
            content = path.read_bytes()
        except OSError as error:
            problems[path.name] = f"can't be read ({error.strerror})"
            continue
        if problem := problem_with(content):
            problems[path.name] = problem
        else:
            files.append(PictureFile(path.name, content))
    return sorted(files, key=lambda file: NAME.sub(r"\1-\2", file.name)), problems
