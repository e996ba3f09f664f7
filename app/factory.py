"""`create_app`: the ordered steps from settings to a running console. No logic of its own."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from flask import Flask
from flask_appbuilder import AppBuilder
from flask_appbuilder.api.manager import OpenApi
from flask_migrate import Migrate

from app.core import audit, events, notifications  # noqa: F401  (notifications declares a table)
from app.core.commands import runbook
from app.core.db import db
from app.core.logs import init_logs, log_slow_statements
from app.core.migrations import migration
from app.core.operations import models as operations  # noqa: F401  (declares tables)
from app.core.runtime import health
from app.core.security import scope, web
from app.core.security.manager import StewardSecurityManager
from app.kit import checks, error_pages, registry, rights, template_globals
from app.kit.commands import export_command
from app.kit.resource import Feature
from app.kit.views.codes import CodesView
from app.kit.views.generate import add_views

ROOT = Path(__file__).resolve().parent.parent


def create_app(config: object | None = None) -> Flask:
    """The application. `config` is any object with upper-case settings; default: the environment's (`config.Config`)."""
    app = Flask("steward", root_path=str(ROOT / "app"), template_folder=str(ROOT / "templates"), static_folder="static")
    app.config.from_object(config or _environment())
    app.config["FAB_INDEX_VIEW"] = "app.kit.views.home.Home"
    init_logs(app)
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    for listeners in (scope, audit, events):
        with app.app_context():
            listeners.install()
    web.install(app)
    health.install(app)
    load_features()
    with app.app_context():
        log_slow_statements(db.engine, app.config.get("LOG_SLOW_MS", 500))
        _install_console(app)
    return app


def _environment() -> object:
    return importlib.import_module("config").Config()


def load_features() -> list[Feature]:
    """Import every `features/<area>/models.py`, then every `manifest.py`, and register what they declare."""
    package = importlib.import_module("app.features")
    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    for module in ("models", "manifest"):  # all models first: they name each other in relationships
        for name in names:
            if (Path(package.__path__[0]) / name / f"{module}.py").exists():
                found = importlib.import_module(f"app.features.{name}.{module}")
                if module == "manifest":
                    registry.add_feature(found.FEATURE)
    return registry.features()


def _install_console(app: Flask) -> AppBuilder:
    appbuilder = AppBuilder(
        app,
        db.session,
        security_manager_class=StewardSecurityManager,
        base_template="base/layout.html",
        update_perms=False,
    )
    web.install_after_fab(app)
    template_globals.install(app)
    error_pages.install(app, appbuilder)
    checks.require_sound(registry.resources())
    appbuilder.add_view_no_menu(CodesView)
    appbuilder.add_api(OpenApi)  # the document alone; FAB's viewer needs scripts that our policy refuses
    add_views(appbuilder, registry.features())
    _install_features(app)
    book = runbook(app)
    book.add_command(migration)
    book.add_command(export_command)
    book.add_setup_step("roles", lambda _app: _said(rights.sync(appbuilder)), order=50)
    book.add_check("resources", lambda _app: checks.problems(registry.resources()))
    return appbuilder


def _install_features(app: Flask) -> None:
    book = runbook(app)
    for feature in registry.features():
        for command in feature.commands:
            book.add_command(command)
        if feature.setup is not None:
            feature.setup(app)


def _said(made: dict[str, Any]) -> str | None:
    return ", ".join(f"{n} {what}" for what, n in made.items() if n) or None
