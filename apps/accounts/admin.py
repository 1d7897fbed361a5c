"""Support pages for people, units and what was done to them."""

from django.contrib import admin

from apps.accounts.models import ApiToken, AuditEvent, Membership, Unit, UnitPlacement, User
from apps.core.support import ReadOnlyAdmin, ReadOnlyInline


class MembershipInline(ReadOnlyInline):
    model = Membership
    fields = ("unit", "role")


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "name", "language", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "language")
    search_fields = ("email", "name")
    ordering = ("email",)
    exclude = ("password", "groups", "user_permissions")
    inlines = (MembershipInline,)


class PlacementInline(ReadOnlyInline):
    model = UnitPlacement
    fk_name = "unit"
    fields = ("parent", "valid")


@admin.register(Unit)
class UnitAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "kind", "region", "timezone", "opened_on", "closed_on")
    list_filter = ("kind", "region")
    search_fields = ("code", "name", "name_fr")
    ordering = ("code",)
    inlines = (PlacementInline,)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "prefix", "user", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    search_fields = ("name", "prefix", "user__email")
    list_select_related = ("user",)
    ordering = ("-id",)
    exclude = ("digest",)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "event", "actor", "subject")
    search_fields = ("event", "subject", "actor__email")
    list_select_related = ("actor",)
    ordering = ("-id",)
