from django.urls import path

from apps.accounts import unit_views, views

app_name = "accounts"
urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("settings/", views.settings, name="settings"),
    path("settings/tokens/", views.token_new, name="token-new"),
    path("settings/tokens/<int:pk>/revoke/", views.token_revoke, name="token-revoke"),
    path("settings/units/", unit_views.unit_list, name="unit-list"),
    path("settings/units/<str:code>/", unit_views.unit, name="unit"),
    path("settings/units/<str:code>/<slug:change>/", unit_views.unit_change, name="unit-change"),
    path("unit/offers/", views.unit_offers, name="unit-offers"),
    path("unit/", views.choose_unit, name="choose-unit"),
]
