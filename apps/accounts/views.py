"""Signing in and out, a person's settings and keys, the unit they look at."""

from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import selectors
from apps.accounts.decorators import require_role
from apps.accounts.forms import ProfileForm, SignInForm, TokenForm
from apps.accounts.middleware import PersonRequest
from apps.accounts.models import ApiToken, Role
from apps.accounts.selectors import current_tokens, units_to_choose
from apps.accounts.services import create_token, revoke_token, update_profile


def _next_of(request: HttpRequest) -> str:
    """Where the person wanted to go, when that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else resolve_url("home")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(_next_of(request))
    form = SignInForm(request, data=request.POST or None)
    if form.is_valid():
        login(request, form.get_user())
        return redirect(_next_of(request))
    context = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
    return render(request, "accounts/sign_in.html", context, status=422 if form.is_bound else 200)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("accounts:sign-in")


@require_http_methods(["GET", "POST"])
@require_role(Role.STAFF)
def settings(request: PersonRequest) -> HttpResponse:
    user = request.person.user
    form = ProfileForm(request.POST or None, initial={"name": user.name, "language": user.language})
    if form.is_valid():
        update_profile(user=user, actor=user, **form.cleaned_data)
        with translation.override(user.language):
            messages.success(request, _("Saved."))
        return redirect("accounts:settings")
    return _settings_page(request, profile=form, status=422 if form.is_bound else 200)


def _settings_page(
    request: PersonRequest,
    *,
    profile: ProfileForm | None = None,
    token_form: TokenForm | None = None,
    secret: str = "",
    status: int = 200,
) -> HttpResponse:
    user = request.person.user
    context = {
        "profile": profile or ProfileForm(initial={"name": user.name, "language": user.language}),
        "token_form": token_form or TokenForm(),
        "tokens": current_tokens(user=user, at=timezone.now()),
        "secret": secret,
        "may_regroup": request.person.has(Role.LEAD),
    }
    response = render(request, "accounts/settings.html", context, status=status)
    if secret:
        response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
@require_role(Role.STAFF)
def token_new(request: PersonRequest) -> HttpResponse:
    """Answers with the page itself, not with a redirect: the secret is shown once and kept nowhere."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _settings_page(request, token_form=form, status=422)
    user = request.person.user
    _token, secret = create_token(
        user=user,
        name=form.cleaned_data["name"],
        scopes=form.cleaned_data["scopes"],
        expires_at=form.expires_at(timezone.now()),
        actor=user,
    )
    return _settings_page(request, secret=secret)


@require_POST
@require_role(Role.STAFF)
def token_revoke(request: PersonRequest, pk: int) -> HttpResponse:
    token = ApiToken.objects.filter(user=request.person.user, revoked_at=None, pk=pk).first()
    if token is None:
        raise Http404
    revoke_token(token=token, at=timezone.now(), actor=request.person.user)
    messages.success(request, _("“%(name)s” no longer works.") % {"name": token.name})
    return redirect("accounts:settings")


@require_http_methods(["GET", "POST"])
@require_role(Role.STAFF)
def choose_unit(request: PersonRequest) -> HttpResponse:
    if request.method == "POST":
        return _unit_chosen(request)
    query = request.GET.get("q", "").strip()
    context = {
        "choices": units_to_choose(scope=request.person.scope(), query=query),
        "q": query,
        "next": request.GET.get("next", ""),
    }
    is_fragment = bool(request.headers.get("HX-Request"))
    return render(request, "accounts/_unit_list.html" if is_fragment else "accounts/choose_unit.html", context)


@require_safe
@require_role(Role.STAFF)
def unit_offers(request: PersonRequest) -> HttpResponse:
    """Units like what somebody types, whatever the field is called."""
    query = str(next(iter(request.GET.values()), "")).strip()[:200]
    offers = selectors.unit_offers(scope=request.person.scope(), query=query)
    return render(request, "accounts/_unit_offers.html", {"offers": offers})


def _unit_chosen(request: PersonRequest) -> HttpResponse:
    choices = units_to_choose(scope=request.person.scope(), code=request.POST.get("unit", ""))
    if not choices.units:
        raise Http404
    request.session["unit"] = choices.units[0].code
    return redirect(_next_of(request))
