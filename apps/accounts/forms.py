"""What people fill in: signing in, their profile, keys for programs."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ApiToken, User


class SignInForm(AuthenticationForm):
    error_messages = {
        "invalid_login": _("This e-mail address and password do not belong together. Check both and try again."),
        "inactive": _("This account is closed. Ask your administrator to open it again."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail address")
        self.fields["username"].widget = forms.EmailInput(attrs={"autofocus": True, "autocomplete": "username"})


class ProfileForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=User.Language.choices)


class TokenForm(forms.Form):
    DAYS = {"30": 30, "90": 90, "365": 365, "never": None}

    name = forms.CharField(
        label=_("What it is for"), max_length=100, help_text=_("Such as the system that will use it.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=ApiToken.Access.choices,
        initial=[ApiToken.Access.READ],
        widget=forms.CheckboxSelectMultiple,
    )
    lifetime = forms.ChoiceField(
        label=_("It stops working"),
        choices=[
            ("30", _("after 30 days")),
            ("90", _("after 90 days")),
            ("365", _("after a year")),
            ("never", _("never, until you revoke it")),
        ],
        initial="90",
    )

    def expires_at(self, now: datetime) -> datetime | None:
        days = self.DAYS[self.cleaned_data["lifetime"]]
        return None if days is None else now + timedelta(days=days)
