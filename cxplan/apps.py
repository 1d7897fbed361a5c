from importlib import import_module

from django.apps import AppConfig


class CxplanConfig(AppConfig):
    name = "cxplan"
    verbose_name = "cxplan"

    def ready(self) -> None:
        import_module("cxplan.checks")
