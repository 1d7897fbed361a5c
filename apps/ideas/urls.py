from django.urls import path

from apps.ideas import call_views, deciding_views, views

app_name = "ideas"
urlpatterns = [
    path("ideas/", views.idea_list, name="idea-list"),
    path("ideas/new/", views.idea_new, name="idea-new"),
    path("ideas/guesses/", views.guesses, name="guesses"),
    path("ideas/similar/", views.similar, name="similar"),
    path("ideas/home/", views.home_block, name="home"),
    path("ideas/board/", views.board, name="board"),
    path("ideas/moderation/", deciding_views.moderate, name="moderation"),
    path("ideas/<int:pk>/", views.idea, name="idea"),
    path("ideas/<int:pk>/edit/", views.idea_edit, name="idea-edit"),
    path("ideas/<int:pk>/vote/", views.idea_vote, name="idea-vote"),
    path("ideas/<int:pk>/comment/", views.idea_comment, name="idea-comment"),
    path("ideas/<int:pk>/photo/", views.idea_photo, name="idea-photo"),
    path("ideas/<int:pk>/review/", deciding_views.review, name="idea-review"),
    path("ideas/<int:pk>/ask/", deciding_views.ask, name="idea-ask"),
    path("ideas/<int:pk>/pilot/", deciding_views.pilot, name="idea-pilot"),
    path("ideas/<int:pk>/decline/", deciding_views.decline, name="idea-decline"),
    path("ideas/<int:pk>/reopen/", deciding_views.reopen, name="idea-reopen"),
    path("ideas/<int:pk>/merge/", deciding_views.merge, name="idea-merge"),
    path("ideas/<int:pk>/unmerge/", deciding_views.unmerge, name="idea-unmerge"),
    path("ideas/<int:pk>/promote/", deciding_views.promote, name="idea-promote"),
    path("ideas/<int:pk>/publish/", deciding_views.publish, name="idea-publish"),
    path("ideas/<int:pk>/let-in/", deciding_views.let_in, name="idea-let-in"),
    path("ideas/<int:pk>/hide/", deciding_views.hide, name="idea-hide"),
    path("ideas/comments/<int:pk>/report/", views.comment_report, name="comment-report"),
    path("ideas/comments/<int:pk>/let-in/", deciding_views.comment_let_in, name="comment-let-in"),
    path("ideas/comments/<int:pk>/hide/", deciding_views.comment_hide, name="comment-hide"),
    path("calls/", call_views.call_list, name="call-list"),
    path("calls/new/", call_views.call_new, name="call-new"),
    path("calls/<int:pk>/", call_views.call, name="call"),
    path("calls/<int:pk>/change/", call_views.call_change, name="call-change"),
    path("calls/<int:pk>/close/", call_views.call_close, name="call-close"),
]
