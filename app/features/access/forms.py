"""Forms of people and roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import wtforms
from flask_appbuilder.forms import DynamicForm
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import validators as wtf
from wtforms.widgets import CheckboxInput, ListWidget

from app.features.access.role_services import LONGEST
from app.features.access.services import LEAST_PASSWORD, MOST_PASSWORD

NEW_PASSWORD = {"autocomplete": "new-password", "maxlength": MOST_PASSWORD}


def _needed(message: Any = None) -> Any:
    return wtf.InputRequired(message or _l("This is needed."))


def _line(label: Any, length: int, **render: Any) -> Any:
    return wtforms.StringField(label, validators=[_needed()], render_kw={"maxlength": length, **render})


def _repeated(form: Any, control: Any) -> None:
    if control.data != form.password.data:
        raise wtf.ValidationError(_("The two passwords differ."))


class Checkboxes(wtforms.SelectMultipleField):
    """Several of a few choices."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class NamesForm(DynamicForm):
    """One's own profile."""

    first_name = _line(_l("First name"), 64, autocomplete="given-name")
    last_name = _line(_l("Last name"), 64, autocomplete="family-name")


class PersonForm(NamesForm):
    """A person as an admin edits them. Give `choices_of` the roles before validating."""

    username = _line(_l("User name"), 128, autocomplete="off", autocapitalize="none", spellcheck="false")
    email = _line(_l("E-mail"), 254, type="email", autocomplete="off")
    role_ids = Checkboxes(_l("Roles"), coerce=int, validators=[_needed(_l("Choose at least one role."))])
    seen = wtforms.HiddenField()


class _NewPassword:
    password = wtforms.PasswordField(
        _l("New password"),
        validators=[_needed()],
        description=_l("At least %(n)s characters. A few words in a row are easy to keep.", n=LEAST_PASSWORD),
        render_kw=NEW_PASSWORD,
    )
    repeated = wtforms.PasswordField(_l("Once more"), validators=[_needed(), _repeated], render_kw=NEW_PASSWORD)


class NewPersonForm(_NewPassword, PersonForm):
    """A person who is added, with a first password."""


class PasswordForm(_NewPassword, DynamicForm):
    """Somebody else's new password."""


class OwnPasswordForm(_NewPassword, DynamicForm):
    """One's own new password; the present one proves who asks."""

    present = wtforms.PasswordField(
        _l("Present password"), validators=[_needed()], render_kw={"autocomplete": "current-password"}
    )


class RoleNameForm(DynamicForm):
    """A role's name."""

    name = _line(_l("Name"), LONGEST, autocomplete="off")


class NewRoleForm(RoleNameForm):
    """A new role, with the rights of another one."""

    source = wtforms.SelectField(_l("Begins with the rights of"), coerce=int)


def offer(control: Any, roles: Sequence[Any]) -> None:
    """Put roles into a choice field."""
    control.choices = [(role.id, role.name) for role in roles]
