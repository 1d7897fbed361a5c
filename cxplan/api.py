"""The whole REST API on one screen."""

from django.contrib.auth.decorators import login_required
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from apps.accounts.api import UnitViewSet
from apps.core.problems import no_such_address
from apps.curation.api import PackViewSet
from apps.feedback.api import ResponseViewSet
from apps.ideas.api import CallViewSet
from apps.ideas.deciding_api import DecidedIdeaViewSet
from apps.impact.api import CheckViewSet, ClaimViewSet, EffectViewSet, RankingViewSet
from apps.impact.api_readings import ReadingViewSet
from apps.imports.api import ImportViewSet
from apps.library.alias_api import SolutionAliasViewSet
from apps.library.api import PlaybookViewSet, SolutionViewSet
from apps.library.request_api import ChangeRequestViewSet
from apps.notifications.api import NotificationViewSet, PreferenceViewSet
from apps.planning.api import ActionViewSet, EventViewSet
from apps.planning.api_follow import CheckInViewSet, ProofViewSet, TaskViewSet
from apps.planning.api_plans import PlanViewSet
from apps.search.api import SearchViewSet
from apps.taxonomy.api import JourneyViewSet, MetricViewSet, TouchpointViewSet
from apps.taxonomy.challenge_api import AliasViewSet, ChallengeViewSet, UnmappedLabelViewSet

router = SimpleRouter()
router.register("units", UnitViewSet, "unit")
router.register("touchpoints", TouchpointViewSet, "touchpoint")
router.register("journeys", JourneyViewSet, "journey")
router.register("metrics", MetricViewSet, "metric")
router.register("challenges", ChallengeViewSet, "challenge")
router.register("aliases", AliasViewSet, "alias")
router.register("unmapped-labels", UnmappedLabelViewSet, "unmapped-label")
router.register("solutions", SolutionViewSet, "solution")
router.register("solution-aliases", SolutionAliasViewSet, "solution-alias")
router.register("change-requests", ChangeRequestViewSet, "change-request")
router.register("playbooks", PlaybookViewSet, "playbook")
router.register("ideas", DecidedIdeaViewSet, "idea")
router.register("calls", CallViewSet, "call")
router.register("plans", PlanViewSet, "plan")
router.register("actions", ActionViewSet, "action")
router.register("tasks", TaskViewSet, "task")
router.register("check-ins", CheckInViewSet, "check-in")
router.register("proofs", ProofViewSet, "proof")
router.register("events", EventViewSet, "event")
router.register("responses", ResponseViewSet, "response")
router.register("effects", EffectViewSet, "effect")
router.register("rankings", RankingViewSet, "ranking")
router.register("checks", CheckViewSet, "check")
router.register("claims", ClaimViewSet, "claim")
router.register("readings", ReadingViewSet, "reading")
router.register("imports", ImportViewSet, "import")
router.register("packs", PackViewSet, "pack")
router.register("search", SearchViewSet, "api-search")
router.register("notifications", NotificationViewSet, "notification")
router.register("preferences", PreferenceViewSet, "preference")

docs = SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="api_docs.html")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", login_required(docs), name="api-docs"),
    # Last: an address of nobody is answered in the form of the API, too.
    re_path("", no_such_address, name="api-unknown"),
]
