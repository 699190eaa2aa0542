"""One settings module, driven by the environment; README lists every variable."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.urls import reverse_lazy

from portal import environment

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(environment.text("STATE_DIR", str(BASE_DIR / ".local")))

DEMO = environment.flag("DEMO", False)
DEBUG = environment.flag("DEBUG", False)
SECRET_KEY = environment.text("SECRET_KEY")
VAULT_KEYS = environment.vault_keys("VAULT_KEYS")
SITE_URL = environment.text("SITE_URL").rstrip("/")
if urlsplit(SITE_URL).scheme not in {"http", "https"}:
    environment.refuse("SITE_URL", "must be the address people use, such as https://switchboard.example.com.")
IS_HTTPS = SITE_URL.startswith("https://")
if not IS_HTTPS and urlsplit(SITE_URL).hostname not in {"localhost", "127.0.0.1"}:
    environment.refuse("SITE_URL", "must start with https:// (http:// is for localhost only).")
ALLOWED_HOSTS = environment.text("ALLOWED_HOSTS", urlsplit(SITE_URL).hostname or "").split(",")
CSRF_TRUSTED_ORIGINS = [SITE_URL]

# The sandbox's emulators by vendor. Only here does the site speak http, or to loopback.
SANDBOX_URLS = environment.sandbox_urls("SANDBOX_URLS")
if SANDBOX_URLS and not DEMO:
    environment.refuse("SANDBOX_URLS", "is for the demo and the tests; set DEMO=on with it or leave it out.")
SANDBOX_ADDRESSES = environment.addresses(SANDBOX_URLS.values())

INSTALLED_APPS = [
    "portal.accounts",
    "portal.tenancy",
    "integrations.connections",
    "integrations.records",
    "integrations.problems",
    "integrations.sync",
    "portal.pages",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "lucide",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "portal.tenancy.middleware.TenantMiddleware",
    "portal.pages.zones.ZoneMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates", BASE_DIR / "integrations" / "vendors"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.pages.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# Every process signs in with one login and takes a role: the app role by default (rows of the current tenant only),
# the ops role where named, the owner for migrations. See docs/decisions.
DATABASE_ROLE = environment.env.str("DATABASE_ROLE", default="portal_app")
_database = environment.database("DATABASE_URL")
DATABASES = {
    "default": {
        **_database,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_database.get("OPTIONS", {}),  # type: ignore[dict-item]
            **({"assume_role": DATABASE_ROLE} if DATABASE_ROLE else {}),
            "connect_timeout": 10,
            "application_name": "switchboard",
        },
    }
}

_redis = environment.redis("REDIS_URL")


def _redis_database(number: int) -> str:
    return urlunsplit(urlsplit(_redis)._replace(path=f"/{number}"))


CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _redis_database(1)}}
LIMITS_URL = _redis_database(2)

CELERY_BROKER_URL = _redis
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlasts any outage of its broker
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # A broker that says nothing must not hold a page, or a worker in the middle of a slice.
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "visibility_timeout": 1800,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# On a busy machine a process takes its time to start. One that is given up ends the whole worker.
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60.0
# A slice goes on when the broker is lost: its lease is in the database, and a token may be on its way.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_IGNORE_RESULT = True
# Slices stand in a queue of their own, from which workers take in turn with the other: a pile of them delays no clock.
SYNC_QUEUE = "slices"
CELERY_TASK_QUEUES: dict[str, dict[str, object]] = {"celery": {}, SYNC_QUEUE: {}}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
SYNC_SLICE_SECONDS = environment.seconds("SYNC_SLICE_SECONDS", 20)
SYNC_LEASE_SECONDS = environment.seconds("SYNC_LEASE_SECONDS", 60)
# An old tick is worth nothing: it expires, so a pile never builds up. But it outlives the slices that may hold every
# place: otherwise none would be carried out until the large first copies are complete.
SYNC_TICK_SECONDS = environment.seconds("SYNC_TICK_SECONDS", 2 if DEMO else 5)
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "integrations.sync.tasks.tick",
        "schedule": SYNC_TICK_SECONDS,
        "options": {"expires": max(SYNC_TICK_SECONDS * 2, SYNC_SLICE_SECONDS * 3)},
    },
    "keep-alive": {
        "task": "integrations.connections.tasks.keep_alive",
        "schedule": 30.0,
        "options": {"expires": 60},
    },
    "check-connections": {
        "task": "integrations.connections.tasks.check_connections",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "warn-of-expiries": {
        "task": "integrations.connections.tasks.warn_of_expiries",
        "schedule": crontab(hour=5, minute=17),
        "options": {"expires": 6 * 3600},
    },
    "take-on-streams": {
        "task": "integrations.sync.tasks.take_on_streams",
        "schedule": 600.0,
        "options": {"expires": 300},
    },
    "housekeeping": {
        "task": "integrations.sync.tasks.housekeeping",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}
# Places: slices under way at once. A connector's limit of parallel requests is one slice's.
SYNC_TENANT_SLICES = environment.count("SYNC_TENANT_SLICES", 4)
SYNC_CONNECTION_SLICES = environment.count("SYNC_CONNECTION_SLICES", 1)

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = reverse_lazy("home")
LOGIN_URL = reverse_lazy("account_login")

ACCOUNT_ADAPTER = "portal.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "portal.accounts.forms.SignupForm"
ACCOUNT_FORMS = {"login": "portal.accounts.login.LoginForm"}
ACCOUNT_CHANGE_EMAIL = True  # one address a person: a new one takes the old one's place once it is proved
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Switchboard: "
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_RATE_LIMITS = {"give_secret": "20/m/ip"}  # of ours, beside allauth's own
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {"add_webauthn": "portal.accounts.passkeys.AddPasskeyForm"}
MFA_TOTP_ISSUER = "Switchboard"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
USERSESSIONS_TRACK_ACTIVITY = False

_email = environment.env.email_url_config(environment.text("EMAIL_URL", "consolemail://"))
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _email.get("EMAIL_HOST") or "localhost", _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_USER") or "", _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _email.get("EMAIL_USE_TLS", False), _email.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = _email.get("EMAIL_FILE_PATH")
DEFAULT_FROM_EMAIL = environment.text("EMAIL_FROM", "Switchboard <no-reply@localhost>")

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": environment.text("STATIC_STORAGE", "whitenoise.storage.CompressedManifestStaticFilesStorage")
    },
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/"]
if environment.flag("BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # rate limits count visitors, not the proxy
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "portal.logs.Redact"}},
    "formatters": {"line": {"()": "portal.logs.JsonLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]}},
    "root": {"handlers": ["stderr"], "level": environment.text("LOG_LEVEL", "INFO")},
    "loggers": {
        # httpx logs whole addresses at INFO, and an address may carry a key.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "django.server": {"handlers": [], "propagate": True},
    },
}
