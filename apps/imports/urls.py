"""Addresses of the Data area."""

from django.urls import path

from apps.imports import pasted_views, views

app_name = "imports"
urlpatterns = [
    path("plans/log/many/", pasted_views.note_many, name="note-many"),
    path("data/", views.batch_list, name="batch-list"),
    path("data/import/", views.batch_new, name="batch-new"),
    path("data/imports/<int:batch_id>/", views.batch, name="batch"),
    path("data/imports/<int:batch_id>/rejects/", views.batch_rejects, name="batch-rejects"),
]
