"""Make the pictures of docs/ui.md: a film with a history, its page, and Chromium from the system."""

import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from tests.ui.browser import ARGUMENTS, CHROMIUM  # noqa: E402  # the project is no package of its own
from tests.ui.conftest import serve  # noqa: E402
from tests.ui.story import tell_story  # noqa: E402

TARGET = ROOT / "docs" / "ui"
SIZE = {"width": 1200, "height": 780}
VIEWS = {
    "history": "",
    "history-dark": "",
    "version": "/v/v5",
    "compare-timeline": "/compare?old=v3&new=v4&path=timeline.json",
    "compare-picture": "/compare?old=v2&new=v3&path=assets/images/050-mars.png&mode=wipe&at=50",
    "compare-video": "/compare?old=v3&new=v5&path=assets/video/orbits.mp4&mode=wipe&at=45&t=1.5",
    "compare-sound": "/compare?old=v3&new=v5&path=assets/audio/040-earth.wav",
    "file": "/file/voice.json?field=/rate",
    "conflict": "/merge",
    "space": "/space?by=kind",
    "machines": "/machines",
    "operations": "/operations",
    "film": "/film",
}


def _shoot(page: Page, name: str, address: str) -> None:
    page.emulate_media(color_scheme="dark" if name.endswith("dark") else "light")
    page.goto(address)
    page.wait_for_load_state("load")
    if "video" in name or "sound" in name:
        page.wait_for_selector("[data-decoded]")
    page.wait_for_timeout(900)
    page.wait_for_function("() => !document.querySelector('img.absent')", timeout=20_000)  # small pictures are made
    with Image.open(BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").save(TARGET / f"{name}.png", optimize=True)


def main() -> None:
    """Write every picture anew."""
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        root = tell_story(Path(folder))
        home = Path(folder) / "home"
        with serve(root, home) as served:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = browser.new_page(viewport=SIZE)  # type: ignore[arg-type]
            page.goto(served.access.address)
            page.wait_for_url("**/p/**")
            origin = f"http://127.0.0.1:{served.port}"
            for name, path in VIEWS.items():
                _shoot(page, name, f"{origin}{served.base}{path}")
            browser.close()


if __name__ == "__main__":
    main()
