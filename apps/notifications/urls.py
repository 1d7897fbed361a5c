from django.urls import path

from apps.notifications import views

app_name = "notifications"
urlpatterns = [
    path("notifications/", views.notification_list, name="notification-list"),
    path("notifications/read/", views.notifications_read, name="notifications-read"),
    path("notifications/<int:pk>/", views.notification, name="notification"),
    path("notifications/<int:pk>/read/", views.notification_read, name="notification-read"),
    path("unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
    path("unsubscribe/<str:token>/return/", views.resubscribe, name="resubscribe"),
    path("settings/notifications/", views.preferences, name="preferences"),
    path("settings/guide/hide/", views.guide_hide, name="guide-hide"),
    path("settings/mails/", views.mail_list, name="mail-list"),
    path("settings/mails/retry/", views.mails_retry, name="mails-retry"),
    path("settings/mails/<int:pk>/retry/", views.mail_retry, name="mail-retry"),
    path("units/<str:code>/results-seen/", views.results_seen, name="results-seen"),
    path("units/<str:code>/conversation/", views.conversation_open, name="conversation-open"),
    path("units/<str:code>/conversation/end/", views.conversation_end, name="conversation-end"),
]
