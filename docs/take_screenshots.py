"""Takes the README's pictures from a running demonstration: `python docs/take_screenshots.py http://127.0.0.1:8000`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"
SHOTS = (
    ("lead", 1280, 900, "/challenges/counter-wait/", "challenge.png"),
    ("manager", 390, 844, "/", "home-phone.png"),
)


def main(address: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        for who, width, height, path, name in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{address}/sign-in/")
            page.fill("input[type=email]", f"{who}@rivage.example")
            page.fill("input[type=password]", "rivage-demo")
            page.click("main button[type=submit]")
            page.goto(address + path)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=IMAGES / name)
            page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
