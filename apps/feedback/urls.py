from django.urls import path

from apps.feedback import views

app_name = "feedback"
urlpatterns = [
    path("units/", views.chosen, name="unit-chosen"),
    path("units/<str:code>/", views.unit, name="unit"),
    path("units/<str:code>/metrics/<str:metric>/", views.unit_metric, name="unit-metric"),
]
