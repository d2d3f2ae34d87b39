"""The pictures in docs/pictures match the current page: compared by text, not by pixels."""

import asyncio
import json

import pytest

from tests.browser.conftest import CHROMIUM, NO_CHROMIUM
from tests.browser.pictures import DRAWN, PICTURES, draw

MAX_BYTES = 200 * 1024


@pytest.mark.skipif(not CHROMIUM, reason=NO_CHROMIUM)
def test_every_picture_in_the_docs_is_up_to_date() -> None:
    kept = json.loads(DRAWN.read_text(encoding="utf-8"))
    del kept["style"]

    drawn = asyncio.run(draw(CHROMIUM))

    stale = [name for name in kept.keys() | drawn.keys() if kept.get(name) != drawn.get(name)]
    assert stale == [], "take them again with `make pictures`"


def test_every_picture_exists_and_is_under_200_kb() -> None:
    names = json.loads(DRAWN.read_text(encoding="utf-8")).keys() - {"style"}
    assert {picture.stem for picture in PICTURES.glob("*.png")} == names
    assert [
        picture.name for picture in PICTURES.glob("*.png") if picture.stat().st_size > MAX_BYTES
    ] == []
