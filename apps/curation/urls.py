from django.urls import path

from apps.curation import queue_views, views

app_name = "curation"

urlpatterns = [
    path("curation/", queue_views.queue_list, name="queue"),
    path("curation/alike/<int:pk>/", queue_views.look_alike, name="look-alike"),
    path("packs/", views.pack_list, name="pack-list"),
    path("packs/export/", views.pack_export, name="pack-export"),
    path("packs/<slug:code>/", views.pack, name="pack"),
    path("packs/<slug:code>/import/", views.pack_import, name="pack-import"),
    path("solutions/<str:code>/elsewhere/", views.outside_evidence, name="outside-evidence"),
]
