"""Settings, read once from the environment. The table in README.md says what each variable means.

`Config()` reads the process's environment, `Config({...})` a mapping; keyword arguments set any value last:
`Config({"STEWARD_HOME": "/tmp/x"}, RATELIMIT_ENABLED=False)`. Reading creates STEWARD_HOME and the generated secrets.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent

# A Unix socket's path holds 107 bytes on Linux and 103 on macOS; longer homes keep theirs in the temporary folder.
_LONGEST_SOCKET_PATH = 100

# AUTH_DB of flask_appbuilder.const, repeated so that reading the settings does not import the framework.
_AUTH_DB = 1


class ConfigError(ValueError):
    """A variable of the environment has a value that cannot be used; the message names both."""


class Config:
    """Every setting as an upper-case attribute, ready for `app.config.from_object`."""

    SQLALCHEMY_TRACK_MODIFICATIONS = False

    AUTH_TYPE = _AUTH_DB
    AUTH_ROLE_ADMIN = "Admin"
    AUTH_ROLE_PUBLIC = "Public"
    AUTH_USER_REGISTRATION = False
    AUTH_RATE_LIMITED = True
    AUTH_RATE_LIMIT = "10 per minute"
    FAB_UPDATE_PERMS = False  # `run.py init` does it: at every start it takes seconds
    FAB_ADD_SECURITY_API = False
    FAB_CREATE_DB = False  # migrations alone make tables
    FAB_API_MAX_PAGE_SIZE = 100
    FAB_API_SWAGGER_UI = False
    APP_NAME = "Steward"

    WTF_CSRF_ENABLED = True
    WTF_CSRF_TIME_LIMIT = None  # the session's life is the limit; a form left open overnight still saves
    SESSION_COOKIE_NAME = "steward"
    SESSION_COOKIE_SAMESITE = "Lax"
    SESSION_COOKIE_HTTPONLY = True
    MAX_CONTENT_LENGTH = 64 * 1024 * 1024  # bytes; the largest spreadsheet we take
    MAX_FORM_MEMORY_SIZE = 2 * 1024 * 1024  # bytes of one form field that is no file

    RATELIMIT_ENABLED = True
    RATELIMIT_STRATEGY = "fixed-window"
    RATELIMIT_IN_MEMORY_FALLBACK_ENABLED = True  # sign-in stays limited while Redis is away

    BABEL_DEFAULT_LOCALE = "en"
    BABEL_DEFAULT_TIMEZONE = "UTC"
    BABEL_TRANSLATION_DIRECTORIES = str(ROOT / "translations")
    LANGUAGES = {"en": {"flag": "gb", "name": "English"}, "de": {"flag": "de", "name": "Deutsch"}}

    def __init__(self, environ: Mapping[str, str] | None = None, **overrides: Any) -> None:
        """Read `environ` (default: the process's); `overrides` win over it and over everything derived.

        Raises ConfigError for a value that cannot be used.
        """
        env = os.environ if environ is None else environ
        self._read_place(env)
        self._read_server(env)
        self._read_database(env)
        self._read_redis(env)
        self._read_secrets(env)
        for name, value in overrides.items():
            setattr(self, name, value)

    def _read_place(self, env: Mapping[str, str]) -> None:
        self.STEWARD_HOME = Path(env.get("STEWARD_HOME") or ROOT / "var").expanduser().resolve()
        try:
            self.STEWARD_HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"STEWARD_HOME {self.STEWARD_HOME} cannot be made: {error.strerror}.") from error

    def _read_server(self, env: Mapping[str, str]) -> None:
        self.HOST = env.get("HOST") or "127.0.0.1"
        self.PORT = _whole_number(env, "PORT", 8080, 1, 65535)
        self.WORKERS = _whole_number(env, "WORKERS", 2, 1, 64)
        self.SAMPLE = _switch(env, "SAMPLE", default=True)
        self.BASE_URL = (env.get("BASE_URL") or f"http://{url_host(self.HOST)}:{self.PORT}").rstrip("/")
        if not self.BASE_URL.startswith(("http://", "https://")):
            raise ConfigError(f"BASE_URL is {self.BASE_URL!r}; it begins with http:// or https://.")
        self.SESSION_COOKIE_SECURE = self.BASE_URL.startswith("https://")
        self.PREFERRED_URL_SCHEME = self.BASE_URL.partition(":")[0]
        self.LOG_LEVEL = (env.get("LOG_LEVEL") or "INFO").upper()
        self.LOG_SLOW_MS = _whole_number(env, "LOG_SLOW_MS", 500, 0, 3_600_000)
        if self.LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ConfigError(f"LOG_LEVEL is {self.LOG_LEVEL!r}; it is DEBUG, INFO, WARNING or ERROR.")

    def _read_database(self, env: Mapping[str, str]) -> None:
        given = env.get("DATABASE_URL") or f"sqlite:///{self.STEWARD_HOME / 'steward.db'}"
        self.SQLALCHEMY_DATABASE_URI = self.DATABASE_URL = database_url(given)
        self.SQLALCHEMY_ENGINE_OPTIONS = engine_options(self.DATABASE_URL)

    def _read_redis(self, env: Mapping[str, str]) -> None:
        self.EMBEDDED_REDIS = not env.get("REDIS_URL")
        self.REDIS_SOCKET = _socket_path(self.STEWARD_HOME)
        self.REDIS_PASSWORD = ""
        if self.EMBEDDED_REDIS:
            self.REDIS_PASSWORD = _kept_secret(self.STEWARD_HOME / "redis_password")
            self.REDIS_URL = f"unix://:{self.REDIS_PASSWORD}@{quote(str(self.REDIS_SOCKET))}?db=0"
        else:
            self.REDIS_URL = env["REDIS_URL"]
            if not self.REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
                raise ConfigError("REDIS_URL begins with redis://, rediss:// or unix://.")
        self.RATELIMIT_STORAGE_URI = self.REDIS_URL.replace("unix://", "redis+unix://", 1)

    def _read_secrets(self, env: Mapping[str, str]) -> None:
        self.SECRET_KEY_GENERATED = not env.get("SECRET_KEY")
        self.SECRET_KEY = env.get("SECRET_KEY") or _kept_secret(self.STEWARD_HOME / "secret_key")
        if len(self.SECRET_KEY) < 32:
            raise ConfigError(f"SECRET_KEY has {len(self.SECRET_KEY)} characters; 32 is the least.")
        self.JWT_SECRET_KEY = _derived(self.SECRET_KEY, "jwt")


def database_url(url: str) -> str:
    """The URL as SQLAlchemy wants it: every spelling of PostgreSQL means the psycopg 3 driver.

    Raises ConfigError for any database but SQLite and PostgreSQL.
    """
    scheme, separator, rest = url.partition("://")
    if scheme in {"postgres", "postgresql", "postgresql+psycopg"} and separator:
        return f"postgresql+psycopg://{rest}"
    if scheme in {"sqlite", "sqlite+pysqlite"} and separator:
        return f"sqlite://{rest}"
    raise ConfigError(f"DATABASE_URL begins with {scheme}; it is postgresql:// or sqlite:///.")


def engine_options(url: str) -> dict[str, Any]:
    """Keyword arguments of SQLAlchemy's create_engine for this URL.

    PostgreSQL sessions speak UTC, and none keeps its locks while it does nothing for five minutes.
    """
    if not url.startswith("postgresql"):
        return {"connect_args": {"timeout": 15, "check_same_thread": False}}
    return {
        "pool_size": 5,
        "max_overflow": 5,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        "connect_args": {
            "application_name": "steward",
            "connect_timeout": 10,
            "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=300s",
        },
    }


def url_host(host: str) -> str:
    """The host as a URL names it: IPv6 in brackets, the wildcard as the loopback a browser can open."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def _whole_number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise ConfigError(f"{name} is {text!r}; it is a whole number from {least} to {most}.")
    return int(text)


def _switch(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = (env.get(name) or "").strip().lower()
    if text not in {"", "0", "1", "no", "yes", "false", "true", "off", "on"}:
        raise ConfigError(f"{name} is {text!r}; it is 0 or 1.")
    return text in {"1", "yes", "true", "on"} if text else default


def _socket_path(home: Path) -> Path:
    path = home / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"steward-{os.getuid()}-{name}" / "redis.sock"


def _kept_secret(path: Path) -> str:
    """The secret in the file, made on first use; two processes that start together agree on one."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails when another process was first, and never shows a half-written file
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
    return path.read_text().strip()


def _derived(secret: str, purpose: str) -> str:
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()
