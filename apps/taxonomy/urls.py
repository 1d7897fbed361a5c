from django.urls import path

from apps.taxonomy import views

app_name = "taxonomy"
urlpatterns = [
    path("challenges/", views.challenge_list, name="challenge-list"),
    path("challenges/<str:code>/", views.challenge, name="challenge"),
]
