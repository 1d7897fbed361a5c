from django.urls import path

from apps.planning import action_views, event_views, guide_views, views

app_name = "planning"
urlpatterns = [
    path("plans/", views.action_list, name="action-list"),
    path("plans/new/", views.plan_new, name="plan-new"),
    path("plans/guide/", guide_views.focus, name="guide"),
    path("plans/units/", guide_views.unit_options, name="unit-options"),
    path("plans/<int:pk>/", guide_views.resume, name="guide-resume"),
    path("plans/<int:pk>/choose/", guide_views.choose, name="guide-choose"),
    path("plans/<int:pk>/concrete/", guide_views.concrete, name="guide-concrete"),
    path("plans/<int:pk>/ready/", guide_views.ready, name="guide-ready"),
    path("plans/<int:pk>/agree/", guide_views.agree, name="guide-agree"),
    path("plans/<int:pk>/discard/", guide_views.discard, name="guide-discard"),
    path("plans/nearby/", views.nearby, name="nearby"),
    path("actions/<str:external_id>/", views.action, name="action"),
    path("actions/<str:external_id>/apply/", action_views.action_apply, name="action-apply"),
    path("actions/<str:external_id>/undo/", action_views.action_undo, name="action-undo"),
    path("actions/<str:external_id>/change/", action_views.action_change, name="action-change"),
    path("actions/<str:external_id>/correct/", action_views.action_correct, name="action-correct"),
    path("actions/<str:external_id>/stop/", action_views.action_stop, name="action-stop"),
    path("actions/<str:external_id>/sustain/", action_views.action_sustain, name="action-sustain"),
    path("actions/<str:external_id>/withdraw/", action_views.action_withdraw, name="action-withdraw"),
    path("events/", event_views.event_list, name="event-list"),
    path("events/new/", event_views.event_new, name="event-new"),
    path("events/<int:pk>/", event_views.event, name="event"),
    path("events/<int:pk>/remove/", event_views.event_remove, name="event-remove"),
]
