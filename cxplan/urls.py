"""Every address of the product, app by app."""

from django.contrib import admin
from django.urls import include, path

from cxplan import views

urlpatterns = [
    path("", views.home, name="home"),
    path("home/measuring/", views.measuring, name="measuring"),
    path("settings/digest/", views.digest, name="digest"),
    path("solution-strips/", views.solution_strips, name="solution-strips"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("api/", include("cxplan.api")),
    path("support/", admin.site.urls),
    path("", include("apps.accounts.urls")),
    path("", include("apps.notifications.urls")),
    path("", include("apps.taxonomy.urls")),
    path("", include("apps.curation.urls")),
    path("", include("apps.library.urls")),
    path("", include("apps.ideas.urls")),
    path("", include("apps.feedback.urls")),
    path("", include("apps.planning.urls")),
    path("", include("apps.imports.urls")),
    path("", include("apps.impact.urls")),
    path("", include("apps.search.urls")),
]
