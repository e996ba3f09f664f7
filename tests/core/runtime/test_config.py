"""Settings from the environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import redis

from config import Config, ConfigError


def read(tmp_path: Path, **environ: str) -> Config:
    return Config({"STEWARD_HOME": str(tmp_path), **environ})


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_means_psycopg_3(tmp_path: Path, scheme: str) -> None:
    url = read(tmp_path, DATABASE_URL=f"{scheme}://u:p@db/steward?sslmode=require").SQLALCHEMY_DATABASE_URI
    assert url == "postgresql+psycopg://u:p@db/steward?sslmode=require"


def test_the_default_database_lies_under_the_home(tmp_path: Path) -> None:
    assert f"sqlite:///{tmp_path}/steward.db" == read(tmp_path).DATABASE_URL


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PORT", "²"),
        ("WORKERS", "0"),
        ("SAMPLE", "maybe"),
        ("DATABASE_URL", "mysql://db/steward"),
        ("REDIS_URL", "http://redis"),
        ("BASE_URL", "steward.example"),
        ("SECRET_KEY", "short"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read(tmp_path, **{name: value})


def test_secrets_are_made_once_and_are_the_owners_alone(tmp_path: Path) -> None:
    first, second = read(tmp_path), read(tmp_path)
    assert first.SECRET_KEY == second.SECRET_KEY
    assert first.REDIS_URL == second.REDIS_URL
    assert len({first.SECRET_KEY, first.JWT_SECRET_KEY, first.REDIS_PASSWORD}) == 3
    for name in ("secret_key", "redis_password"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_cookies_are_secure_behind_https_alone(tmp_path: Path) -> None:
    assert read(tmp_path, BASE_URL="https://steward.example/").SESSION_COOKIE_SECURE is True
    assert read(tmp_path).SESSION_COOKIE_SECURE is False


@pytest.mark.parametrize("folder", ["plain", "with space & ä", "x" * 120])
def test_the_embedded_redis_url_leads_to_the_socket(tmp_path: Path, folder: str) -> None:
    config = read(tmp_path / folder)
    arguments = redis.Redis.from_url(config.REDIS_URL).connection_pool.connection_kwargs
    assert arguments["path"] == str(config.REDIS_SOCKET)
    assert len(os.fsencode(config.REDIS_SOCKET)) < 104
