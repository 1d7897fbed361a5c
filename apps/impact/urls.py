"""Addresses of effects and rankings; the first three are embedded by the pages of lower apps."""

from django.urls import path

from apps.impact import plan_views, reading_views, recommend_views, views, views_power

app_name = "impact"
urlpatterns = [
    path("challenges/<str:code>/ranking/", views.challenge_ranking, name="challenge-ranking"),
    path("challenges/<str:code>/recommended/", recommend_views.recommended, name="recommended"),
    path("challenges/<str:code>/dismiss/", recommend_views.dismiss, name="dismiss"),
    path("solutions/<str:code>/evidence/", views.solution_evidence, name="solution-evidence"),
    path("actions/<str:external_id>/effect/", views.action_effect, name="action-effect"),
    path("actions/<str:external_id>/effect/weeks.csv", views.action_weeks, name="action-weeks"),
    path("actions/<str:external_id>/readings/", reading_views.readings, name="readings"),
    path("actions/<str:external_id>/readings/write/", reading_views.reading_write, name="reading-write"),
    path("readings/<int:pk>/settle/", reading_views.reading_settle, name="reading-settle"),
    path("learn/checks/", views.checks, name="checks"),
    path("learn/calibration/", views.calibration, name="calibration"),
    path("learn/methods/", views.methods, name="methods"),
    path("learn/methods/reference/", views.methods_reference, name="methods-reference"),
    path("chance/", views_power.chance, name="chance"),
    path("plans/<int:plan_id>/chance/", views_power.plan_chance, name="chance"),
    path("chance/rollout/", views_power.rollout_chance, name="rollout-chance"),
    path("plans/<int:pk>/data/", plan_views.ready, name="ready"),
    path("plans/<int:pk>/comparison/", plan_views.draw_comparison, name="draw-comparison"),
    path("focus/", views.focus, name="focus"),
    path("learn/", views.learn, name="learn"),
]
