"""Django's settings, made from what `serve` was asked; there is no settings file to edit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
from django.conf import settings

from trialwright import __version__

if TYPE_CHECKING:
    from trialwright.ledger.vault import Vault
    from trialwright.web.desk import Desk

_HERE = Path(__file__).parent
#: The languages of the pages, as a browser asks for them, each under its own name.
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
#: Minutes without a request after which somebody is signed out.
IDLE_MINUTES = 30
#: Wrong passwords in a row after which an account is locked, and for how many hours.
ATTEMPTS, LOCKED_HOURS = 5, 1


@dataclass(frozen=True, slots=True)
class Options:
    """How one process serves: where the accounts are, its secret, and what stands between it and the browser."""

    accounts: str
    secret: str
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    origins: tuple[str, ...] = ()  # of the proxy, as https://trial.example.org
    https: bool = False
    demo: bool = False
    quick_passwords: bool = False  # for tests alone


def configure(desk: Desk, options: Options, vault: Vault) -> None:
    """Set Django up for this process, once."""
    settings.configure(
        DESK=desk,
        VAULT=vault,
        DEMO=options.demo,
        SECRET_KEY=options.secret,
        ALLOWED_HOSTS=list(options.hosts),
        CSRF_TRUSTED_ORIGINS=list(options.origins),
        ROOT_URLCONF="trialwright.web.urls",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            "django_htmx",
            "axes",
            "trialwright.web",
        ],
        MIDDLEWARE=[
            "trialwright.web.guard.headers",
            "django.middleware.security.SecurityMiddleware",
            "whitenoise.middleware.WhiteNoiseMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "trialwright.web.guard.awake",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django_htmx.middleware.HtmxMiddleware",
            "axes.middleware.AxesMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [_HERE / "templates"],
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.messages.context_processors.messages",
                        "trialwright.web.guard.surroundings",
                    ],
                    "builtins": ["django.templatetags.i18n", "trialwright.web.templatetags.words"],
                },
            }
        ],
        DATABASES={"default": database(options.accounts)},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        AUTH_USER_MODEL="web.Account",
        AUTHENTICATION_BACKENDS=[
            "axes.backends.AxesStandaloneBackend",
            "trialwright.web.always_asked.Accounts",
        ],
        PASSWORD_HASHERS=[_hasher(options)],
        AUTH_PASSWORD_VALIDATORS=[
            {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
            {
                "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
                "OPTIONS": {"min_length": 12},
            },
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
        ],
        LOGIN_URL="sign_in",
        SESSION_ENGINE="trialwright.web.always_asked",
        SESSION_COOKIE_AGE=IDLE_MINUTES * 60,
        SESSION_EXPIRE_AT_BROWSER_CLOSE=True,
        SESSION_COOKIE_SAMESITE="Strict",
        CSRF_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=options.https,
        CSRF_COOKIE_SECURE=options.https,
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https") if options.https else None,
        SECURE_HSTS_SECONDS=31536000 if options.https else 0,
        SECURE_REFERRER_POLICY="same-origin",
        AXES_FAILURE_LIMIT=ATTEMPTS,
        AXES_COOLOFF_TIME=LOCKED_HOURS,
        AXES_LOCKOUT_PARAMETERS=["username"],
        AXES_ENABLE_ACCESS_FAILURE_LOG=True,
        AXES_RESET_ON_SUCCESS=True,
        AXES_SENSITIVE_PARAMETERS=["username", "ip_address", "password", "code", "passkey"],
        AXES_VERBOSE=False,
        AXES_LOCKOUT_TEMPLATE="web/locked.html",
        STATIC_URL=f"/static/{__version__}/",
        WHITENOISE_USE_FINDERS=True,
        WHITENOISE_MAX_AGE=86400,  # their address holds the version
        MESSAGE_STORAGE="django.contrib.messages.storage.session.SessionStorage",
        USE_TZ=True,
        TIME_ZONE="UTC",
        USE_I18N=True,
        LANGUAGE_CODE="en",
        LANGUAGES=LANGUAGES,
        LANGUAGE_COOKIE_SAMESITE="Strict",
        LANGUAGE_COOKIE_SECURE=options.https,
        LANGUAGE_COOKIE_HTTPONLY=True,
        LOCALE_PATHS=[_HERE / "locale"],
        FORMAT_MODULE_PATH="trialwright.web.formats",
        DATA_UPLOAD_MAX_MEMORY_SIZE=1_000_000,
        LOGGING_CONFIG=None,
    )
    django.setup()


def database(place: str) -> dict[str, Any]:
    """Django's words for a path or a `postgresql://` URL."""
    if "://" not in place:
        options = {"timeout": 30, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode = WAL"}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": place, "CONN_MAX_AGE": None, "OPTIONS": options}
    from psycopg.conninfo import conninfo_to_dict

    told = dict(conninfo_to_dict(place))
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    found = {names[key]: value for key, value in told.items() if key in names}
    rest = {key: value for key, value in told.items() if key not in names}
    # a connection is kept, and looked at before it is used again: the database may have been away
    kept = {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    return {"ENGINE": "django.db.backends.postgresql", **kept, **found, "OPTIONS": rest}


def _hasher(options: Options) -> str:
    quick = "django.contrib.auth.hashers.MD5PasswordHasher"
    return quick if options.quick_passwords else "django.contrib.auth.hashers.Argon2PasswordHasher"
