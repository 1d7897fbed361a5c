from django.urls import path

from apps.library import edit_views, label_views, playbook_views, request_views, views

app_name = "library"
urlpatterns = [
    path("solutions/", views.solution_list, name="solution-list"),
    path("solutions/<str:code>/", views.solution, name="solution"),
    path("solutions/<str:code>/pdf/", views.solution_pdf, name="solution-pdf"),
    path("solutions/<str:code>/watch/", views.solution_watch, name="solution-watch"),
    path("solutions/<str:code>/versions/<int:number>/", views.solution_version, name="solution-version"),
    path(
        "solutions/<str:code>/versions/<int:number>/restore/", edit_views.version_restore, name="version-restore"
    ),
    path("solutions/<str:code>/edit/", edit_views.solution_edit, name="solution-edit"),
    path("solutions/<str:code>/status/", edit_views.solution_status, name="solution-status"),
    path("solutions/<str:code>/reviewed/", edit_views.solution_reviewed, name="solution-reviewed"),
    path("solutions/<str:code>/links/", edit_views.solution_links, name="solution-links"),
    path("solutions/<str:code>/files/", edit_views.solution_files, name="solution-files"),
    path("solutions/<str:code>/learnings/", edit_views.learning_new, name="learning-new"),
    path("solutions/<str:code>/change/", request_views.change_request_new, name="change-request-new"),
    path("library/solutions/new/", edit_views.solution_new, name="solution-new"),
    path("library/files/<int:pk>/", views.solution_file, name="solution-file"),
    path("library/files/<int:pk>/delete/", edit_views.file_delete, name="file-delete"),
    path("library/labels/", label_views.solution_label_list, name="solution-label-list"),
    path("library/aliases/<int:pk>/remove/", label_views.solution_alias_remove, name="solution-alias-remove"),
    path("library/learnings/<int:pk>/", edit_views.learning, name="learning"),
    path("library/changes/", request_views.change_request_list, name="change-request-list"),
    path("library/changes/<int:pk>/", request_views.change_request, name="change-request"),
    path("library/changes/<int:pk>/decide/", request_views.change_request_decide, name="change-request-decide"),
    path("library/playbooks/new/", playbook_views.playbook_new, name="playbook-new"),
    path("playbooks/", playbook_views.playbook_list, name="playbook-list"),
    path("playbooks/<str:code>/", playbook_views.playbook, name="playbook"),
    path("playbooks/<str:code>/edit/", playbook_views.playbook_edit, name="playbook-edit"),
    path("playbooks/<str:code>/status/", playbook_views.playbook_status, name="playbook-status"),
]
