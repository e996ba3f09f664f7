"""Flask-AppBuilder's security manager over the principal: one permission query a request, whatever asks (PLT-03)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g, session
from flask_appbuilder.security.api import SecurityApi as FabSecurityApi
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_appbuilder.security.sqla.models import User
from flask_babel import lazy_gettext as _l
from flask_jwt_extended import current_user as jwt_user
from flask_login import current_user
from sqlalchemy.orm import joinedload

from app.core.clock import utcnow
from app.core.db import db
from app.core.problems import Problems, problem
from app.core.security.principal import Principal, current, set_current
from app.core.security.sign_in import STAMP, AuthDBView, account_tried, address_tried, stamp
from app.core.security.web import focus_of_session, principal_of
from app.core.text import storable_part


class SecurityApi(Problems, FabSecurityApi):
    """FAB's sign-in by API; what it refuses it tells like every API here (RFC 9457)."""

    def response_401(self) -> Any:
        """Alike for a wrong name and a wrong password."""
        return problem(401, "The name or the password is wrong.")


class StewardSecurityManager(SecurityManager):
    """Answers every permission question from the acting principal's set."""

    authdbview = AuthDBView
    security_api = SecurityApi

    def register_views(self) -> None:
        """Of FAB's views only signing in, by page and by API. People, roles and profiles are the access feature's."""
        self.appbuilder.add_api(self.security_api)
        self.auth_view = self.appbuilder.add_view_no_menu(self.authdbview())
        if self.is_auth_limited:
            self._limit_sign_in()

    def create_login_manager(self, app: Flask) -> Any:
        """Flask-Login, knowing our page and words."""
        manager = super().create_login_manager(app)
        manager.login_view = f"{AuthDBView.__name__}.login"
        manager.login_message = _l("Sign in to see this page.")
        return manager

    def _limit_sign_in(self) -> None:
        """The same count for page and API, by address and by account, so that changing either does not help (FAB limits
        the page by address only). `AUTH_RATE_LIMIT` is per account; twenty people may share an address.
        """
        endpoints = [self.auth_view.blueprint.name + ".login", *self._api_endpoints()]
        rate, shared = self.auth_rate_limit, self.limiter.shared_limit
        wide = current_app.config.get("AUTH_ADDRESS_RATE_LIMIT", "60 per minute")
        for endpoint in endpoints:
            view = current_app.view_functions[endpoint]
            view = shared(rate, scope="sign-in", key_func=account_tried, methods=["POST"])(view)
            view = shared(wide, scope="sign-in", key_func=address_tried, methods=["POST"])(view)
            current_app.view_functions[endpoint] = view

    def _api_endpoints(self) -> list[str]:
        return [name for name in current_app.view_functions if name == "SecurityApi.login"]

    def create_jwt_manager(self, app: Flask) -> Any:
        """Tokens carry the stamp of the password they were issued for."""
        manager = super().create_jwt_manager(app)
        manager.additional_claims_loader(lambda pk: {STAMP: stamp(self.get_user_by_id(pk))})
        return manager

    def load_user(self, pk: Any) -> Any:
        """The active user of a session that is no older than their password."""
        user = super().load_user(pk)
        return user if user is not None and session.get(STAMP, "") == stamp(user) else None

    def load_user_jwt(self, header: Any, data: Any) -> Any:
        """The same for a token."""
        user = super().load_user(data["sub"])
        if user is None or data.get(STAMP) != stamp(user):
            return None
        g.user = user
        return user

    def auth_user_db(self, username: str, password: str) -> Any:
        """The user of a name or address and a password, None for wrong ones; whatever was typed, it can be looked up."""
        return super().auth_user_db(storable_part(username), storable_part(password))

    def update_user_auth_stat(self, user: Any, success: bool = True) -> None:
        """Count the sign-in; UTC, where FAB stores the server's own time."""
        user.login_count = (user.login_count or 0) + (1 if success else 0)
        user.fail_login_count = 0 if success else (user.fail_login_count or 0) + 1
        if success:
            user.last_login = utcnow().replace(tzinfo=None)
        db.session.commit()

    def get_user_by_id(self, pk: Any) -> Any:
        """The user with their roles, which the sidebar names."""
        query = sa.select(User).where(User.id == int(pk)).options(joinedload(User.roles))
        return db.session.scalars(query).unique().one_or_none()

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Whether the caller (session, or JWT checked by now) holds the permission."""
        principal = self.caller()
        return principal is not None and (permission_name, view_name) in principal.permissions

    def caller(self) -> Principal | None:
        """The principal of this request; made here for JWTs, which FAB verifies after the request began."""
        principal = current()
        if principal is None and jwt_user and jwt_user.is_active:
            principal = principal_of(jwt_user, None)
            set_current(principal)
        return principal

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Nothing is public by permission; public pages say so in code."""
        return False

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        """FAB's own menu is not drawn; its API answers from the same set."""
        principal = self.caller()
        allowed = (
            {view for permission, view in principal.permissions if permission == "menu_access"} if principal else set()
        )
        return allowed & set(menu_names or allowed)

    @staticmethod
    def before_request() -> None:
        """Say who acts before anything is queried."""
        g.user = current_user
        user = current_user if current_user.is_authenticated else None
        set_current(principal_of(user, focus_of_session()) if user is not None else None)
