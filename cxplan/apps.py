from django.apps import AppConfig


class CxplanConfig(AppConfig):
    name = "cxplan"
    verbose_name = "cxplan"

    def ready(self) -> None:
        from cxplan import checks  # noqa: F401 - registers the checks
