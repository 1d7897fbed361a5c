"""Has PostgreSQL and Valkey up before pytest-django reads the settings; loaded early by `-p`.

PostgreSQL stays in `var/test` from run to run, with its migrated template; runs at the same time share
it. Valkey and everything else of a run live in a folder of that run.
"""

import atexit
import os
import shutil
import tempfile

from cxplan.embedded import EmbeddedError, home, postgres, valkey
from tests import databases

_RUN = "CXPLAN_TEST_RUN"


def _start_run() -> None:
    # Meant for what make starts itself, not for the servers that tests start.
    os.environ.pop("CXPLAN_ENDS_WITH_PARENT", None)
    os.environ["CXPLAN_TEST_TEMPLATES"] = str(home() / "test")
    if not os.environ.get("DATABASE_URL"):
        os.environ["CXPLAN_HOME"] = os.environ["CXPLAN_TEST_TEMPLATES"]
        started = _start_database()
        os.environ["DATABASE_URL"] = postgres.url()
        if started:
            databases.drop_leftovers()
    folder = tempfile.mkdtemp(prefix="cxplan-test-")
    os.environ["CXPLAN_HOME"] = folder
    # Registered before Valkey's own exit function, so it runs after that.
    atexit.register(_forget_run, folder, os.getpid())
    valkey.ensure()
    os.environ[_RUN] = str(os.getpid())


def _start_database() -> bool:
    try:
        return postgres.ensure(safe=False)
    except EmbeddedError:
        # It runs without fsync: a machine that failed may have spoilt it, and it holds nothing of worth.
        shutil.rmtree(home() / "postgres", ignore_errors=True)
        return postgres.ensure(safe=False)


def _forget_run(folder: str, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


if _RUN not in os.environ:
    _start_run()
_worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
os.environ["CELERY_BROKER_URL"] = valkey.url(int(_worker.removeprefix("gw")))
os.environ["SECRET_KEY"] = "only-for-tests-" + "0" * 40
os.environ["STATICFILES_STORAGE"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
# Playwright's loop runs in the thread of the test, where Django would refuse the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
os.makedirs(os.path.join(os.environ["CXPLAN_HOME"], "assets"), exist_ok=True)
