from django.urls import path

from apps.library import views

app_name = "library"
urlpatterns = [
    path("solutions/", views.solution_list, name="solution-list"),
    path("solutions/<str:code>/", views.solution, name="solution"),
]
