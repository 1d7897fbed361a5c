"""The importer, for the tests here."""

from tests.importing import bring_in  # noqa: F401  # a fixture
