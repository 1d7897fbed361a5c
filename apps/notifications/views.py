"""The list of what a person was told, and the way out of mails."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, User
from apps.notifications.links import Subscription, read_token
from apps.notifications.models import Notification
from apps.notifications.services import choose_delivery, read_all, read_notification
from apps.notifications.topics import WITH_MAIL, WITHOUT_MAIL

PAGE = 25


@require_safe
@require_role(Role.STAFF)
def notification_list(request: PersonRequest) -> HttpResponse:
    news = Notification.objects.of(request.user).unread_first()
    page = Paginator(news, PAGE).get_page(request.GET.get("page"))
    return render(request, "notifications/notification_list.html", {"page": page})


@require_safe
@require_role(Role.STAFF)
def notification(request: PersonRequest, pk: int) -> HttpResponse:
    """Opening is reading: on to the page the news is about."""
    one = get_object_or_404(Notification.objects.of(request.user), pk=pk)
    read_notification(notification=one, at=timezone.now())
    return redirect(one.url)


@require_POST
@require_role(Role.STAFF)
def notification_read(request: PersonRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(Notification.objects.of(request.user), pk=pk)
    read_notification(notification=one, at=timezone.now())
    if request.htmx:  # type: ignore[attr-defined]  # set by HtmxMiddleware
        return render(request, "notifications/_notification.html", {"notification": one})
    return redirect("notifications:notification-list")


@require_POST
@require_role(Role.STAFF)
def notifications_read(request: PersonRequest) -> HttpResponse:
    read_all(user=request.user, at=timezone.now())
    messages.success(request, _("All read."))
    return redirect("notifications:notification-list")


def _subscriber(token: str) -> tuple[User, Subscription]:
    subscription = read_token(token)
    user = User.objects.filter(pk=subscription.user_id).first() if subscription else None
    if user is None or subscription is None:
        raise Http404
    return user, subscription


# A mail program sends its one-click request without a cookie: the signed link is what it may do.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Looking changes nothing, as mail scanners look at every link; the page then asks by itself."""
    user, subscription = _subscriber(token)
    topic = subscription.topic
    is_done = request.method == "POST"
    if is_done:
        choose_delivery(user=user, topic=topic, delivery=WITHOUT_MAIL[topic], at=timezone.now(), actor=user)
    with translation.override(user.language):
        context = {"token": token, "topic": topic, "email": user.email, "is_done": is_done}
        return render(request, "notifications/unsubscribe.html", context)


@csrf_exempt
@never_cache
@require_POST
def resubscribe(request: HttpRequest, token: str) -> HttpResponse:
    user, subscription = _subscriber(token)
    topic = subscription.topic
    choose_delivery(user=user, topic=topic, delivery=WITH_MAIL[topic], at=timezone.now(), actor=user)
    with translation.override(user.language):
        context = {"token": token, "topic": topic, "email": user.email, "is_back": True}
        return render(request, "notifications/unsubscribe.html", context)
