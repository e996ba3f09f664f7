"""The check that finds Flask-AppBuilder's own handlers in the route map, and that nothing of FAB's is left there."""

from __future__ import annotations

from flask_appbuilder.models.sqla.interface import SQLAInterface
from flask_appbuilder.security.sqla.models import User
from flask_appbuilder.views import ModelView

from app.core.db import db
from app.kit import hardening
from app.kit.views.resource_view import ResourceView


def test_nothing_is_open(app):
    assert hardening.problems(app) == []


def test_only_what_is_wanted_of_the_frameworks_own_views_is_registered(app):
    gone = ("/users", "/groups", "/permissions", "/viewmenus", "/permissionviews", "/userstats", "/registeruser")
    gone += ("/resetpassword", "/resetmypassword", "/userinfoedit", "/swagger")
    rules = [str(rule) for rule in app.url_map.iter_rules()]
    assert not [rule for rule in rules if rule.startswith(gone) or "download" in rule]
    assert "/login/" in rules and "/api/v1/security/login" in rules and "/api/v1/security/refresh" in rules


def test_a_stock_model_view_is_found(make_app):
    class Stock(ModelView):
        datamodel = SQLAInterface(User, db.session)

    other = make_app()
    with other.app_context():
        other.appbuilder.add_view_no_menu(Stock)
    found = "\n".join(hardening.problems(other))
    assert "Stock is one of Flask-AppBuilder's model views" in found
    assert "/stock/download/<string:filename> hands out any uploaded file." in found
    assert "/stock/action/<string:name>/<pk> changes rows on GET." in found


def test_a_handler_of_the_frameworks_and_a_hidden_column_are_found(app):
    view = next(v for v in app.appbuilder.baseviews if type(v).__name__ == "PeopleView")

    class Careless(type(view)):
        delete = ModelView.delete

    careless = object.__new__(Careless)
    careless.__dict__ |= {**view.__dict__, "exclude_route_methods": set(), "show_columns": ["username", "password"]}
    assert isinstance(careless, ResourceView)
    found = "\n".join(hardening._view_problems(careless))
    assert "Careless.delete is Flask-AppBuilder's own handler." in found
    assert "Careless.show_columns name password." in found
