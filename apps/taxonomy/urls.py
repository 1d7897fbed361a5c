from django.urls import path

from apps.taxonomy import alias_views, editor_views, journey_views, views

app_name = "taxonomy"
urlpatterns = [
    path("challenges/", views.challenge_list, name="challenge-list"),
    path("challenges/<str:code>/", views.challenge, name="challenge"),
    path("challenges/<str:code>/edit/", editor_views.challenge_edit, name="challenge-edit"),
    *(
        path(
            f"challenges/<str:code>/{step}/",
            editor_views.challenge_step,
            {"step": step},
            name=f"challenge-{step}",
        )
        for step in editor_views.STEPS
    ),
    path("taxonomy/", editor_views.editor, name="editor"),
    path("taxonomy/terms/", editor_views.terms, name="terms"),
    path("taxonomy/new/", editor_views.challenge_new, name="challenge-new"),
    path("taxonomy/under/<str:code>/", editor_views.branch, name="challenges-under"),
    path("taxonomy/labels/", alias_views.label_list, name="label-list"),
    path("taxonomy/labels/accepted/", alias_views.acceptance, name="acceptance"),
    path("taxonomy/aliases/", alias_views.alias_list, name="alias-list"),
    path("taxonomy/aliases/new/", alias_views.alias_new, name="alias-new"),
    path("taxonomy/aliases/<int:pk>/", alias_views.alias, name="alias"),
    path("taxonomy/aliases/<int:pk>/remove/", alias_views.alias_remove, name="alias-remove"),
    path("taxonomy/journeys/", journey_views.journey_list, name="journey-list"),
    path("taxonomy/journeys/<str:code>/", journey_views.journey, name="journey"),
    path("taxonomy/changes/<int:pk>/undo/", editor_views.change_undo, name="change-undo"),
]
