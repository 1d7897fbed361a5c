"""What a person was told, how they want to be told, the mails that failed, and the way out of mails."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.decorators import require_role
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import Role, Unit, User
from apps.core.errors import CxplanError
from apps.core.formats import exact_day
from apps.notifications.conversations import end_team_conversation, open_team_conversation, see_results
from apps.notifications.forms import PreferencesForm
from apps.notifications.links import Subscription, read_token
from apps.notifications.models import Mail, Notification
from apps.notifications.outbox import retry_all_mails, retry_mail
from apps.notifications.selectors import mail_counts, troubled_mails, wishes_of
from apps.notifications.services import choose_deliveries, choose_delivery, read_all, read_notification
from apps.notifications.topics import WITH_MAIL, WITHOUT_MAIL, Delivery, Topic

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


@require_http_methods(["GET", "POST"])
@require_role(Role.STAFF)
def preferences(request: PersonRequest) -> HttpResponse:
    user = request.person.user
    wishes = wishes_of(user=user)
    form = PreferencesForm(request.POST or None, wishes=wishes, has_guide=request.person.has(Role.MANAGER))
    if form.is_valid():
        choose_deliveries(user=user, deliveries=form.changes(), at=timezone.now(), actor=user)
        messages.success(request, _("Saved."))
        return redirect(f"{resolve_url('accounts:settings')}#notifications")
    is_fragment = bool(request.headers.get("HX-Request"))
    template = "notifications/_preferences.html" if is_fragment else "notifications/preferences.html"
    context = {"form": form, "is_muted": Topic.NUDGES in wishes.muted}
    return render(request, template, context, status=422 if form.is_bound else 200)


@require_POST
@require_role(Role.MANAGER)
def guide_hide(request: PersonRequest) -> HttpResponse:
    user = request.person.user
    choose_delivery(user=user, topic=Topic.GUIDE, delivery=Delivery.OFF, at=timezone.now(), actor=user)
    messages.success(request, _("Hidden. You can bring the first steps back in the settings."))
    return redirect("home")


def _postmaster(request: PersonRequest) -> User:
    """Mails concern everybody, so their failures are for who leads from the top."""
    if not request.person.leads_from_the_top:
        raise Http404
    return request.person.user


@require_safe
@require_role(Role.LEAD)
def mail_list(request: PersonRequest) -> HttpResponse:
    _postmaster(request)
    page = Paginator(Mail.objects.troubled(), PAGE).get_page(request.GET.get("page"))
    rows = troubled_mails(page, now=timezone.now())
    context = {
        "page": page,
        "rows": rows,
        "counts": mail_counts(),
        "may_retry": any(row.may_be_tried for row in rows),
    }
    return render(request, "notifications/mail_list.html", context)


@require_POST
@require_role(Role.LEAD)
def mail_retry(request: PersonRequest, pk: int) -> HttpResponse:
    actor = _postmaster(request)
    mail = get_object_or_404(Mail, pk=pk)
    try:
        retry_mail(mail=mail, at=timezone.now(), actor=actor)
        messages.success(request, _("On its way again to %(email)s.") % {"email": mail.email})
    except CxplanError as error:
        messages.error(request, error.message)
    return redirect("notifications:mail-list")


@require_POST
@require_role(Role.LEAD)
def mails_retry(request: PersonRequest) -> HttpResponse:
    count = retry_all_mails(at=timezone.now(), actor=_postmaster(request))
    messages.success(
        request,
        ngettext("%(count)d mail is on its way again.", "%(count)d mails are on their way again.", count)
        % {"count": count},
    )
    return redirect("notifications:mail-list")


def _unit(request: PersonRequest, code: str, role: Role) -> Unit:
    return get_object_or_404(Unit.objects.in_scope(request.person.scope(role)), code__iexact=code)


@require_POST
@require_role(Role.STAFF)
def results_seen(request: PersonRequest, code: str) -> HttpResponse:
    see_results(user=request.person.user, unit=_unit(request, code, Role.STAFF), at=timezone.now())
    return HttpResponse(status=204)


@require_POST
@require_role(Role.MANAGER)
def conversation_open(request: PersonRequest, code: str) -> HttpResponse:
    unit = _unit(request, code, Role.MANAGER)
    conversation = open_team_conversation(unit=unit, on=timezone.localdate(), actor=request.person.user)
    messages.success(
        request,
        _("Good. No reminders of what to do next until %(day)s.") % {"day": exact_day(conversation.ends_on)},
    )
    return redirect("home")


@require_POST
@require_role(Role.MANAGER)
def conversation_end(request: PersonRequest, code: str) -> HttpResponse:
    unit = _unit(request, code, Role.MANAGER)
    end_team_conversation(unit=unit, on=timezone.localdate(), actor=request.person.user)
    return redirect("home")


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
