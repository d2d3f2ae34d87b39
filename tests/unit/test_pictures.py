"""Which pictures a step shows, and what its message looks like with them."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.guide import GuideError, parse
from bot.guide.loading import FOLDER, SERVICETITAN
from bot.guide.pictures import LARGEST_BYTES, PictureSources, find, type_of
from bot.onboarding.steps import finish_step
from bot.views.step import step_message
from tests.builders import GUIDE, NOW, a_client_admin, an_onboarding
from tests.unit.rendering import problems, texts

PNG = b"\x89PNG\r\n\x1a\n and so on"
PUBLIC = "https://onboarding.example.com"
SHOWS = GUIDE.step(10).figure.shows  # type: ignore[union-attr]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("step-03.png", "step-03-2.png", "step-04.gif", "step-10.jpg"):
        (tmp_path / name).write_bytes(PNG + name.encode())
    return tmp_path


def from_folder(folder: Path, public_url: str | None = PUBLIC) -> PictureSources:
    return find(GUIDE, str(folder), public_url)[0]


def test_a_folder_has_any_number_of_pictures_for_any_step(folder: Path) -> None:
    sources = from_folder(folder)

    first, second = sources.of(GUIDE.step(3), {})
    assert first.url.startswith(f"{PUBLIC}/guide/step-03.png?")
    assert second.url.startswith(f"{PUBLIC}/guide/step-03-2.png?")
    assert first.caption == "Developer Portal login screen with Production Environment option"
    (fourth,) = sources.of(GUIDE.step(4), {})
    assert fourth.caption == "Navigate to the My Apps Section"
    assert sources.of(GUIDE.step(5), {}) == []


def test_a_schematic_is_the_fallback_and_marked_as_such(folder: Path) -> None:
    sources = from_folder(folder)

    assert not sources.of(GUIDE.step(10), {})[0].is_schematic  # the folder has one
    (ours,) = sources.of(GUIDE.step(22), {})
    assert ours.is_schematic


def test_without_a_public_url_files_are_shown_only_after_upload(folder: Path) -> None:
    sources = from_folder(folder, public_url=None)
    first = next(picture for picture in sources.to_upload if picture.name == "step-03.png")

    assert not sources.served
    assert sources.of(GUIDE.step(3), {}) == []
    (shown,) = sources.of(GUIDE.step(3), {first.digest: "F0123456789"})
    assert (shown.file_id, shown.url) == ("F0123456789", "")


def test_a_base_url_serves_one_picture_per_figure() -> None:
    sources, _ = find(GUIDE, "https://pictures.example/guide/", None)

    (shown,) = sources.of(GUIDE.step(3), {})
    assert shown.url == "https://pictures.example/guide/step-03.png"
    assert sources.of(GUIDE.step(4), {}) == []  # the guide has no figure there


def test_an_image_in_the_guides_file_wins(folder: Path) -> None:
    step = GUIDE.step(3)
    assert step.figure
    image = "https://pictures.example/login.png"
    step = step.model_copy(update={"figure": step.figure.model_copy(update={"image": image})})

    assert [picture.url for picture in from_folder(folder).of(step, {})] == [image]


def test_a_different_step_in_an_older_guide_gets_no_picture(folder: Path) -> None:
    older = GUIDE.step(3).model_copy(update={"figure": None, "title": "Something else"})

    assert from_folder(folder).of(older, {}) == []


def test_unusable_picture_files_are_reported_with_the_reason(folder: Path) -> None:
    (folder / "step-05.png").write_bytes(b"RIFF....WEBP")
    (folder / "step-06.png").write_bytes(PNG + bytes(LARGEST_BYTES))
    (folder / "step-99.png").write_bytes(PNG)
    (folder / "login.png").write_bytes(PNG)
    (folder / "notes.txt").write_text("ignored")

    sources, wrong = find(GUIDE, str(folder), PUBLIC)

    misnamed = "isn't named after a step of the guide, such as step-03.png"
    assert wrong == {
        "login.png": misnamed,
        "step-05.png": "isn't a PNG, JPEG, or GIF",
        "step-06.png": "is larger than 2 MB",
        "step-99.png": misnamed,
    }
    assert not {"step-05.png", "step-06.png"} & {file.name for file in sources.files}


def test_our_schematics_are_small_and_have_an_svg_source() -> None:
    drawn = sorted(FOLDER.glob("*/schematics/*.png"))

    assert [path.name for path in drawn] == ["step-10.png", "step-22.png", "step-02.png"]
    for path in drawn:
        content = path.read_bytes()
        assert type_of(content) == "image/png"
        assert len(content) < 40_000
        assert "Schematic, not a screenshot" in path.with_suffix(".svg").read_text()


def test_the_guide_accepts_only_https_image_urls() -> None:
    source = SERVICETITAN.read_text(encoding="utf-8")
    wrong = source.replace(
        "figure = { number = 3,", 'figure = { image = "http://a.example/b.png", number = 3,'
    )

    with pytest.raises(GuideError, match=r"guide.toml:\d+: .*image: .*must be an https address"):
        parse(wrong, "guide.toml")


@pytest.mark.parametrize("number", [3, 10])
def test_slack_accepts_a_step_with_a_captioned_picture(number: int) -> None:
    onboarding = an_onboarding(at_step=number)
    pictures = find(GUIDE, "https://pictures.example", None)[0].of(GUIDE.step(number), {})

    message = step_message(onboarding, number, pictures)

    assert problems(message) == []
    (image,) = [block for block in message.blocks if block["type"] == "image"]
    caption = pictures[0].caption
    assert image["title"]["text"] == f"What you'll see: {caption}"
    assert image["alt_text"].startswith(caption)
    assert SHOWS
    assert (SHOWS in image["alt_text"]) == (number == 10)
    assert caption in message.text
    assert not [text for text in texts(message.blocks) if text.startswith("🖼️")]


def test_a_schematic_is_labeled_in_its_title_and_alt_text() -> None:
    pictures = find(GUIDE, None, PUBLIC)[0].of(GUIDE.step(22), {})

    message = step_message(an_onboarding(at_step=22), 22, pictures)

    (image,) = [block for block in message.blocks if block["type"] == "image"]
    assert image["title"]["text"].endswith("(schematic)")
    assert image["alt_text"].startswith("Schematic, not a screenshot. ")


def test_pictures_do_not_affect_a_messages_digest() -> None:
    onboarding = an_onboarding(at_step=10)
    pictures = find(GUIDE, None, PUBLIC)[0].of(GUIDE.step(10), {})
    with_picture, words = step_message(onboarding, 10, pictures), step_message(onboarding, 10)

    assert with_picture.blocks != words.blocks
    assert with_picture.digest == words.digest
    assert with_picture.in_words == words
    moved = [replace(picture, url="https://elsewhere.example/a.png") for picture in pictures]
    assert step_message(onboarding, 10, moved).digest == words.digest


def test_a_finished_step_has_no_picture() -> None:
    done = finish_step(an_onboarding(at_step=10), 10, a_client_admin(), NOW).onboarding
    pictures = find(GUIDE, None, PUBLIC)[0].of(GUIDE.step(10), {})

    assert step_message(done, 10, pictures) == step_message(done, 10)
