"""`onboarding guide preview`: every message and modal of the guide on one page."""

import re
from pathlib import Path

from click.testing import CliRunner

from bot.cli.main import main
from bot.guide.loading import SERVICETITAN
from tests.wrenchbook import GUIDE as WRENCHBOOK


def test_every_message_and_modal_is_rendered_at_both_widths(tmp_path: Path) -> None:
    page = tmp_path / "guide.html"

    result = CliRunner().invoke(main, ["guide", "preview", "-o", str(page)])

    assert result.exit_code == 0, result.output
    html = page.read_text(encoding="utf-8")
    for number in range(1, 26):
        assert f": step:{number}</h2>" in html
    assert html.count('class="pane desktop"') == html.count('class="pane phone"') > 300
    assert "not drawn yet" not in html
    assert '<img src="data:image/png;base64,' in html  # our schematics
    assert 'alt="Schematic, not a screenshot. Add Tag dialog' in html
    assert not re.search(r'[ ](src|href|action)="(?!data:|#|https?://|/|")', html)
    assert "<script" not in html


def test_a_broken_guide_is_reported_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text(
        SERVICETITAN.read_text(encoding="utf-8").replace("[[phases]]", "[[phases]", 1)
    )

    result = CliRunner().invoke(
        main, ["guide", "preview", "-o", str(tmp_path / "guide.html"), "--guide", str(broken)]
    )

    assert result.exit_code == 2
    assert re.match(r"broken\.toml:\d+: ", result.output)


def test_a_guide_can_be_given_by_id_or_folder(tmp_path: Path) -> None:
    def drawn(guide: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["guide", "preview", guide, "-o", str(page)])
        return result.exit_code, result.output

    page = tmp_path / "guide.html"
    assert drawn(str(WRENCHBOOK))[0] == 0
    assert "New key" in page.read_text(encoding="utf-8")
    assert drawn("servicetitan_connect")[0] == 0
    assert "Record the Booking Provider ID" in page.read_text(encoding="utf-8")
    status, says = drawn("fieldbook")
    assert status == 2
    assert "the guides are servicetitan, servicetitan_connect" in says
