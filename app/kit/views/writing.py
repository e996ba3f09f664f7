"""The writing half of the generated pages: add, edit, delete, restore and actions, all through `kit/writes`."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
import wtforms
from flask import abort, flash, redirect, request
from flask_appbuilder.baseviews import expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.datastructures import CombinedMultiDict

from app.core.db import db
from app.core.errors import BadQuery, DomainError, NotAllowed, Stale
from app.core.mixins import SoftDeletes
from app.core.security.principal import actor
from app.core.text import row_id
from app.kit import writes
from app.kit.fields import field_of, in_sentence, title_of
from app.kit.forms import ImageField, build_form, form_data, values_of
from app.kit.pages import ConfirmPage, FormPage, Link
from app.kit.resource import Resource
from app.kit.views import conflict as conflicts
from app.kit.views.selecting import list_of

MAX_SELECTED = 500


class WritingView:
    """Mixed into ResourceView, which loads rows and draws pages."""

    resource: Resource
    render_template: Any
    load: Any
    matching: Any
    _url: Any

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """The empty form, prefilled from the URL, and its saving."""
        form = self.form_class(adding=True)(_posted() if request.method == "POST" else None, data=self._prefilled())
        if request.method == "POST" and form.validate():
            row = self._saving(
                form, lambda: writes.create(self.resource, values_of(self.resource, form), actor=actor())
            )
            if row is not None:
                flash(_("%(name)s added", name=title_of(row)), "success")
                return redirect(self.added(row))
        title = _("Add %(what)s", what=in_sentence(self.resource.label))
        return self._form_page(form, title, title, f"{self.resource.url}/")

    def added(self, row: Any) -> str:
        """Where to go once a row is added: its page."""
        return str(self._url(row.id))

    def form_class(self, *, adding: bool) -> Any:
        """The form's class; features add their own checks here."""
        return build_form(self.resource, adding=adding)

    def _prefilled(self) -> dict[str, Any]:
        """`?client=3` and the like; where the console is entered for a client, that client."""
        known = self.resource.field_names()
        found: dict[str, Any] = {}
        if "client" in known and actor().focus:
            found["client"] = actor().focus
        for name in known:
            raw = request.args.get(name, "")
            if raw and field_of(self.resource.model, name).target is not None:
                found[name] = row_id(raw)
            elif raw:
                found[name] = raw
        return found

    def _saving(self, form: Any, write: Any) -> Any:
        """Run a write and commit; a refusal lands beside its field and nothing typed is lost."""
        try:
            row = write()
            db.session.commit()
            return row if row is not None else True
        except Stale:
            raise
        except DomainError as error:
            db.session.rollback()
            show_errors(form, error)
            return None

    @expose("/<int:pk>/edit", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: int) -> Any:
        """The filled form and its saving; a conflict is shown as a comparison (PLT-21)."""
        row = self.load(pk)
        form_class = self._edit_form_class()
        names = self._edited_names()
        if request.method == "GET":
            form = form_class(None, data=self._edit_data(row, names))
            return self._edit_page(form, row)
        merging = "resolve" in request.form
        posted = conflicts.merged(self.resource, row, names, request.form) if merging else _posted()
        form = form_class(posted)
        if form.validate():
            response = self._save_edit(form, row, names)
            if response is not None:
                return response
        return self._edit_page(form, db.session.get(self.resource.model, pk) or abort(404))

    def _edited_names(self) -> Any:
        """What editing compares: all but what is set only once, and pictures, which are no text."""
        resource = self.resource
        names = [n for n in resource.field_names() if n not in resource.readonly]
        return [n for n in names if field_of(resource.model, n).kind != "image"]

    def _edit_form_class(self) -> Any:
        extra = {"version": wtforms.HiddenField(), "before": wtforms.HiddenField()}
        base = self.form_class(adding=False)
        return type(base.__name__, (base,), extra)

    def _edit_data(self, row: Any, names: Any) -> dict[str, Any]:
        before = json.dumps(conflicts.snapshot(self.resource, row, names))
        return {**form_data(self.resource, row, names), "version": row.version, "before": before}

    def _save_edit(self, form: Any, row: Any, names: Any) -> Any:
        version = row_id(str(form.version.data or "")) or 0
        values = values_of(self.resource, form)
        try:
            saved = self._saving(
                form, lambda: writes.update(self.resource, row, values, actor=actor(), version=version)
            )
        except Stale:
            db.session.rollback()
            return self._conflict_page(form, row.id, names)
        if saved is None:
            return None
        flash(_("%(name)s saved", name=title_of(row)), "success")
        return redirect(self._url(row.id))

    def _conflict_page(self, form: Any, pk: int, names: Any) -> Any:
        row = self.load(pk)
        found = conflicts.conflict(self.resource, row, names, {n: _raw_of(form, n) for n in (*names, "before")})
        form.version.data = row.version
        return self._edit_page(form, row, found, 409)

    def _edit_page(self, form: Any, row: Any, conflict: Any = None, status: int = 0) -> Any:
        title = _("Edit %(name)s", name=title_of(row))
        return self._form_page(form, title, _("Save"), self._url(row.id), conflict, status)

    def _form_page(self, form: Any, title: str, submit: str, cancel: str, conflict: Any = None, status: int = 0) -> Any:
        resource = self.resource
        page = FormPage(
            name=resource.name,
            title=title,
            icon=resource.icon,
            list_label=str(resource.plural),
            list_url=f"{resource.url}/",
            form=form,
            sections=[(str(s.label), list_of(s.names)) for s in resource.form],
            submit_label=submit,
            cancel_url=cancel,
            conflict=conflict,
            multipart=any(isinstance(control, ImageField) for control in form),
        )
        return self.render_template("kit/form.html", page=page), status or (422 if has_errors(form) else 200)

    @expose("/<int:pk>/delete", methods=["GET", "POST"])
    @has_access
    def delete(self, pk: int) -> Any:
        """Ask, then move to the trash; the toast takes it back."""
        row = self.load(pk)
        if request.method == "GET":
            return self.confirm(self.delete_question(row))
        name = title_of(row)
        self._attempt(lambda: writes.delete(self.resource, row, actor=actor()))
        undo = self._url(pk, "restore") if actor().can("restore", self.resource.name) else ""
        flash({"text": _("%(name)s moved to the trash", name=name), "undo_url": undo}, "success")  # type: ignore[arg-type]
        return redirect(f"{self.resource.url}/")

    def delete_question(self, row: Any) -> ConfirmPage:
        """What the user is asked before deletion: what goes along and how it comes back."""
        lines = [_("It leaves every list, with what belongs to it. It can be restored from the trash.")]
        return ConfirmPage(
            title=_("Delete %(name)s?", name=title_of(row)),
            body=lines,
            submit=Link(_("Delete"), self._url(row.id, "delete"), "trash", "danger", "post"),
            cancel=Link(_("Keep"), self._url(row.id)),
        )

    def confirm(self, page: ConfirmPage) -> Any:
        """Draw a question as a page, or as the inside of a dialog."""
        return self.render_template("kit/confirm.html", page=page, fragment=request.headers.get("X-Fragment") == "1")

    @expose("/<int:pk>/restore", methods=["POST"])
    @has_access
    def restore(self, pk: int) -> Any:
        """Bring a row back from the trash."""
        if not issubclass(self.resource.model, SoftDeletes):
            abort(404)
        row = self.load(pk, deleted=True)
        self._attempt(lambda: writes.restore(self.resource, row, actor=actor()))
        flash(_("%(name)s restored", name=title_of(row)), "success")
        return redirect(self._url(pk))

    def _attempt(self, write: Any) -> Any:
        """Run a write and commit, or roll back and let the error page tell."""
        try:
            result = write()
            db.session.commit()
            return result
        except DomainError:
            db.session.rollback()
            raise

    # -- actions -------------------------------------------------------------------------------------------------

    def _find_action(self, name: str) -> Any:
        """The declared action; 404 for an unknown one, NotAllowed without its right."""
        found = next((a for a in self.resource.actions if a.name == name), None)
        if found is None:
            abort(404)
        if not actor().can(name, self.resource.name):
            raise NotAllowed(_("Your role may not do this."))
        return found

    @expose("/action/<string:name>/<int:pk>", methods=["POST"])
    @has_access
    def action(self, name: str, pk: int) -> Any:
        """One verb on one row, loaded through the scope."""
        verb = self._find_action(name)
        row = self.load(pk)
        flash(self._attempt(lambda: verb.run(row, actor=actor())), "success")
        return redirect(_back(self._url(pk)))

    @expose("/action_post", methods=["POST"])
    @has_access
    def action_post(self) -> Any:
        """One verb on the selected rows, each loaded through the scope and authorised on its own."""
        name = request.args.get("action") or request.form.get("action", "")
        run = self._deleter() if name == "delete" else self._find_action(name).run
        ids = self._chosen_ids()
        model = self.resource.model
        rows = list_of(db.session.scalars(sa.select(model).where(model.id.in_(ids)).order_by(model.id)))
        done = self._attempt(lambda: run_on_each(rows, run))
        refused = [text for ok, text in done if not ok]
        changed = len(done) - len(refused)
        if changed:
            flash(ngettext("%(num)s row changed", "%(num)s rows changed", changed), "success")
        if len(ids) > len(rows):
            flash(_("%(n)s of the selected rows are gone", n=len(ids) - len(rows)), "warning")
        for text in dict.fromkeys(refused):
            flash(text, "warning")
        return redirect(_back(f"{self.resource.url}/"))

    def _chosen_ids(self) -> Any:
        """The posted ids, or those of all rows that match the posted filter. BadQuery for none or too many."""
        if request.form.get("all") != "1":
            return selected_ids()
        model = self.resource.model
        found = sa.select(model.id).where(self.matching(request.form)).order_by(model.id).limit(MAX_SELECTED + 1)
        return _bounded(list_of(db.session.scalars(found)))

    def _deleter(self) -> Any:
        if not actor().can("delete", self.resource.name):
            raise NotAllowed(_("Your role may not do this."))
        return lambda row, *, actor: writes.delete(self.resource, row, actor=actor)


def run_on_each(rows: Any, run: Any) -> list[tuple[bool, str]]:
    """(done, what to tell) per row; a refused row does not stop the others."""
    done: list[tuple[bool, str]] = []
    for row in rows:
        try:
            with db.session.begin_nested():
                done.append((True, run(row, actor=actor()) or ""))
        except DomainError as error:
            done.append((False, error.message))
    return done


def selected_ids() -> list[int]:
    """The ids a list posts, each once; BadQuery when one is none."""
    raw = [part for value in request.form.getlist("ids") + request.form.getlist("rowid") for part in value.split(",")]
    if not raw or not all(text.isascii() and text.isdigit() and len(text) < 10 for text in raw):
        raise BadQuery(_("Nothing is selected.") if not raw else _("The selection holds something that is no row."))
    return list_of(dict.fromkeys(int(text) for text in _bounded(raw)))


def _bounded(ids: Any) -> Any:
    if len(ids) > MAX_SELECTED:
        raise BadQuery(_("At most %(n)s rows can be changed at once here.", n=MAX_SELECTED))
    return ids


def _posted() -> Any:
    """What was posted, uploads included."""
    return CombinedMultiDict([request.form, request.files])


def _raw_of(form: Any, name: str) -> str:
    raw = form[name].raw_data
    return str(raw[0]) if raw else ""


def _back(default: str) -> str:
    """The page the user came from when it is ours, else `default`: never an open redirect."""
    target = request.form.get("next", "")
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else default


def has_errors(form: Any) -> bool:
    """Whether a form was refused."""
    return bool(form.errors)


def show_errors(form: Any, error: DomainError) -> None:
    """Put a refusal beside the fields it names, the rest above the form."""
    placed = False
    for name, message in error.fields.items():
        key = name if name in form else name.removesuffix("_id")
        if key in form:
            form[key].errors = [*form[key].errors, message]
            placed = True
    if not placed:
        form.form_errors.append(error.message)
