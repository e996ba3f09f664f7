"""The first page: the first list a user may see."""

from __future__ import annotations

from typing import Any

from flask import redirect, url_for
from flask_appbuilder.baseviews import expose
from flask_appbuilder.views import IndexView
from flask_login import current_user

from app.core.errors import NotAllowed
from app.kit.menus import menu


class Home(IndexView):
    """`/` leads to where the user's work is; the clients overview for whoever may see it."""

    @expose("/")
    def index(self) -> Any:
        """Redirect, so that each page has one address."""
        if not current_user.is_authenticated:
            return redirect(url_for(f"{self.appbuilder.sm.auth_view.endpoint}.login"))
        groups = menu()
        if not groups:
            raise NotAllowed()
        return redirect(groups[0].items[0].url)
