"""Settings of a deployment, all from the environment; safe by default."""

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from cxplan import env
from cxplan.api_settings import REST_FRAMEWORK, SPECTACULAR_SETTINGS  # noqa: F401  -- settings by being here

# Measurement takes a process a core; threads of the linear algebra beside that only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = Path(env.text("CXPLAN_HOME", str(BASE_DIR / "var")))

DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "cxplan",
    "apps.search",
    "apps.curation",
    "apps.impact",
    "apps.imports",
    "apps.planning",
    "apps.feedback",
    "apps.ideas",
    "apps.library",
    "apps.taxonomy",
    "apps.notifications",
    "apps.accounts",
    "apps.core",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "lucide",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "cxplan.middleware.PlainTextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "cxplan.urls"
WSGI_APPLICATION = "cxplan.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cxplan.navigation.navigation",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

DATABASES = {
    "default": {
        **env.database("DATABASE_URL"),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", "")
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A worker killed mid-task gives its message back within seconds, not the default 100.
    "visibility_timeout": 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign-in"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "assets", ("vendor", HOME / "assets")]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": HOME / "files", "base_url": None},
    },
    "staticfiles": {
        "BACKEND": env.text("STATICFILES_STORAGE", "django.contrib.staticfiles.storage.ManifestStaticFilesStorage")
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.boolean("SECURE_COOKIES", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 0)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

MAIL_SERVER = env.mail_server("EMAIL_URL", "console:")
EMAIL_BACKEND = env.text("EMAIL_BACKEND", MAIL_SERVER.backend)
EMAIL_HOST, EMAIL_PORT = MAIL_SERVER.host, MAIL_SERVER.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = MAIL_SERVER.user, MAIL_SERVER.password
EMAIL_USE_SSL, EMAIL_USE_TLS = MAIL_SERVER.uses_ssl, MAIL_SERVER.uses_starttls
EMAIL_FILE_PATH = MAIL_SERVER.folder
EMAIL_TIMEOUT = 30  # well below the shortest pause between two tries of a mail
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "cxplan@localhost")
# Where people reach the product: the beginning of every link in a mail. `serve` notes where it listens.
PUBLIC_URL = env.text("PUBLIC_URL", env.noted(HOME / "run" / "served-at", "http://127.0.0.1:8000"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
}

# Limits of an import: more than this is refused before it can fill memory or disk.
IMPORT_MAX_BYTES = env.integer("IMPORT_MAX_BYTES", 20 * 1024**3)
IMPORT_MAX_FIELD_CHARACTERS = env.integer("IMPORT_MAX_FIELD_CHARACTERS", 100_000)
# Results of fewer customers than this are not shown outside measurement.
MINIMUM_CUSTOMERS_SHOWN = env.integer("MINIMUM_CUSTOMERS_SHOWN", 5)
# What the reference of the methods is read from.
METHODS_PAGE = Path(env.text("METHODS_PAGE", str(BASE_DIR / "docs" / "methods.md")))
# Units in one share of a measurement; results do not depend on it.
IMPACT_CHUNK_UNITS = env.integer("IMPACT_CHUNK_UNITS", 500)
# Nudges rest while a team talks its results over, after so many in a row that nobody opened, for a unit that
# fewer customers answered in 12 weeks; an action is quiet after so many days without a word.
TEAM_CONVERSATION_DAYS = env.integer("TEAM_CONVERSATION_DAYS", 28)
NUDGES_IGNORED_BEFORE_MUTE = env.integer("NUDGES_IGNORED_BEFORE_MUTE", 3)
NUDGE_MINIMUM_ANSWERS = env.integer("NUDGE_MINIMUM_ANSWERS", 30)
NUDGE_QUIET_DAYS = env.integer("NUDGE_QUIET_DAYS", 30)
# Days within which something must happen to an idea in each state; then it goes one level up.
IDEA_DAYS = {
    state: env.integer(f"IDEA_{state.upper()}_DAYS", days)
    for state, days in {
        "held": 3,
        "new": 7,
        "in_review": 14,
        "needs_info": 14,
        "pilot": 120,
        "escalated": 7,
    }.items()
}
# After so many posts that were let in, a person's posts appear at once.
IDEA_TRUSTED_POSTS = env.integer("IDEA_TRUSTED_POSTS", 3)
