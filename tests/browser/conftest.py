"""A real Chromium whose pages fail on any error in the console, and a worker in a process of its own."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from cxplan.embedded import child
from cxplan.embedded.home import REPOSITORY
from tests.factories import PASSWORD

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
GRAVE = {"serious", "critical"}
READY_SECONDS = 60.0


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium: install the package chromium, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def assets() -> None:
    """The vendor files a page loads: built once in the tests' own home, copied into that of this run."""
    kept = Path(os.environ["CXPLAN_TEST_TEMPLATES"])
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "assets.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # In a process of its own: the chart library may not be called in one that forks.
        subprocess.run(
            [sys.executable, "manage.py", "build_assets"],
            cwd=REPOSITORY,
            env=os.environ | {"CXPLAN_HOME": str(kept)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        shutil.copytree(kept / "assets", Path(settings.HOME) / "assets", dirs_exist_ok=True)


class Visitor:
    """One person with one screen; whatever goes wrong in the browser is kept in `problems`."""

    def __init__(
        self, browser: Browser, address: str, *, width: int, scheme: str = "light", is_touching: bool = False
    ) -> None:
        self.address, self.width = address, width
        self.problems: list[str] = []
        self.is_audited = False
        height = 740 if width < 768 else 900
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            base_url=address,
            has_touch=is_touching,
            is_mobile=is_touching,
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))

    def _on_console(self, message: ConsoleMessage) -> None:
        # A violation of the content security policy is an error in the console, too; axe itself causes some.
        if message.type in {"error", "warning"} and not self.is_audited:
            self.problems.append(f"{self.page.url}: {message.text} ({message.location.get('url')})")

    def sign_in(self, email: str) -> None:
        self.page.goto("/sign-in/")
        self.look()
        self.page.locator("[name=username]").fill(email)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(self.address + "/")

    def look(self) -> None:
        """Once the page has come to rest: nothing serious for axe, nothing wider than the screen."""
        self.page.wait_for_load_state("networkidle")
        self.is_audited = True
        found = Axe().run(self.page, options={"preload": False}).response["violations"]
        self.is_audited = False
        for violation in found:
            if violation["impact"] in GRAVE:
                places = "; ".join(node["html"][:160] for node in violation["nodes"][:3])
                self.problems.append(f"{self.page.url}: {violation['id']} ({violation['impact']}): {places}")
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        if wide > self.width:
            self.problems.append(f"{self.page.url}: {wide} px wide on a screen of {self.width} px")


@pytest.fixture
def visit(chromium: Browser, assets: None, live_server: Any) -> Iterator[Callable[..., Visitor]]:
    """`visit(width=…)` opens a browser of one person; at the end none of them may have met a problem."""
    visitors: list[Visitor] = []

    def open_one(**screen: Any) -> Visitor:
        visitors.append(Visitor(chromium, live_server.url, **screen))
        return visitors[-1]

    yield open_one
    for visitor in visitors:
        visitor.context.close()
    problems = [problem for visitor in visitors for problem in visitor.problems]
    assert not problems, "\n".join(problems)


@pytest.fixture
def worker(transactional_db: None) -> Iterator[None]:
    """A Celery worker as in production: another process, on the embedded broker and this test's database."""
    log = Path(settings.HOME) / "worker.log"
    argv = [
        sys.executable, "-m", "celery", "--app", "cxplan", "--quiet", "worker", "--concurrency", "1",
        "--loglevel", "INFO", "--without-gossip", "--without-mingle",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            child.command(argv, on_parent_death=signal.SIGQUIT),
            cwd=REPOSITORY,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        until(lambda: " ready." in log.read_text() or process.poll() is not None, seconds=READY_SECONDS)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def until(condition: Callable[[], object], *, seconds: float) -> None:
    """Wait for something another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s in vain"
        time.sleep(0.25)
