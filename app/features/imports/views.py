"""`/imports/`: the wizard. Every step is a page of its own, kept on the server, so that reload and back lose nothing."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, make_response, redirect, request, stream_with_context
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext as _

from app.core.db import db
from app.core.errors import BadQuery, Clash, DomainError
from app.core.operations.models import Operation
from app.core.operations.states import WORKABLE
from app.core.security.principal import actor
from app.features.imports import columns_page, plan_page, run_page
from app.features.imports.forms import UploadForm
from app.features.imports.frame import base_url
from app.kit import registry
from app.kit.importing import flow, reader, report, source
from app.kit.importing.example import example_file
from app.kit.importing.flow import Step
from app.kit.progress import progress
from app.kit.resource import Resource

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROUTES = ("index", "new", "example", "show", "columns", "plan", "run", "progress", "errors", "discard")


class ImportView(BaseView):
    """Who may see it is `can_see` on "imports"; what may be imported is each entity's own `can_import`."""

    route_base = "/imports"
    default_view = "index"
    class_permission_name = "imports"
    base_permissions = ["can_see"]
    method_permission_name = dict.fromkeys(ROUTES, "see")

    @expose("/")
    @has_access
    def index(self) -> Any:
        """One's own imports."""
        number, search = plan_page.page_number(request.args.get("page", "")), request.args.get("q", "").strip()[:100]
        return self.render_template("kit/list.html", page=run_page.overview(actor(), number, search))

    @expose("/new", methods=["GET", "POST"])
    @has_access
    def new(self) -> Any:
        """Step 1: choose a file."""
        if not request.args.get("resource"):
            return redirect("/imports/")
        resource = flow.importable(request.args["resource"], actor())
        form, errors = UploadForm(), []
        if request.args.get("refused") == "too_large":
            form.file.errors = [str(reader.UnreadableFile("too_large", params={"limit": source.LIMITS.file_bytes}))]
        if request.method == "POST":
            if form.validate():
                started = self._take(resource, form)
                if started is not None:
                    return redirect(f"{base_url(started)}/columns")
            errors = [str(e) for e in form.errors.get("csrf_token", ())]
        page = run_page.upload(resource, form, actor(), errors)
        return self.render_template("importing/upload.html", page=page), 422 if form.file.errors or errors else 200

    def _take(self, resource: Resource, form: Any) -> Operation | None:
        """The import of the posted file; None with the reason beside the field when it cannot be read."""
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            form.file.errors = [_("Choose a file first.")]
            return None
        try:
            taken = source.take(upload)
        except reader.UnreadableFile as error:
            form.file.errors = [f"{source.shown_name(upload.filename)}: {error}"]
            return None
        operation = flow.begin(resource, taken, actor(), actor().focus)
        db.session.commit()
        return operation

    @expose("/example/<string:name>.xlsx")
    @has_access
    def example(self, name: str) -> Any:
        """The example file of an entity."""
        resource = flow.importable(name, actor())
        headers = {"Content-Disposition": f"attachment; filename={resource.name}-example.xlsx"}
        return Response(example_file(resource), mimetype=XLSX, headers=headers)

    @expose("/<int:pk>")
    @has_access
    def show(self, pk: int) -> Any:
        """The step it is at."""
        operation = self._load(pk)
        step = flow.step_of(operation)
        return redirect(f"{base_url(operation)}/{Step.PLAN.value if step is Step.PLANNING else step.value}")

    @expose("/<int:pk>/columns", methods=["GET", "POST"])
    @has_access
    def columns(self, pk: int) -> Any:
        """Step 2: match columns to fields."""
        operation = self._load(pk)
        busy = flow.step_of(operation) in (Step.RUN, Step.PLANNING) and operation.state in WORKABLE
        if flow.step_of(operation) is Step.RUN or busy:
            return redirect(base_url(operation))
        errors: list[str] = []
        if request.method == "POST":
            flow.save_rules(operation, columns_page.posted_rules(operation, request.form))
            db.session.commit()
            if request.form.get("step") != "plan":
                return redirect(f"{base_url(operation)}/columns")
            try:
                flow.make_plan(operation)
                return redirect(f"{base_url(operation)}/plan")
            except DomainError as error:
                db.session.rollback()
                errors = [error.message]
        page = columns_page.build(self._load(pk), errors)
        return self.render_template("importing/columns.html", page=page), 422 if errors else 200

    @expose("/<int:pk>/plan", methods=["GET", "POST"])
    @has_access
    def plan(self, pk: int) -> Any:
        """Step 3: look at the plan, and confirm it."""
        operation = self._load(pk)
        step = flow.step_of(operation)
        if step is Step.COLUMNS:
            return redirect(f"{base_url(operation)}/columns")
        if step is Step.PLANNING:
            return self.render_template("importing/run.html", page=run_page.build(operation))
        errors: list[str] = []
        if request.method == "POST":
            try:
                flow.confirm(operation, actor(), request.form.get("plan", ""))
                db.session.commit()
                return redirect(f"{base_url(operation)}/run")
            except DomainError as error:
                db.session.rollback()
                errors = [error.message]
        page = plan_page.build(self._load(pk), request.args, errors)
        return self.render_template("importing/plan.html", page=page), 422 if errors else 200

    @expose("/<int:pk>/run")
    @has_access
    def run(self, pk: int) -> Any:
        """Step 4: progress, then the result."""
        operation = self._load(pk)
        if flow.step_of(operation) is not Step.RUN:
            return redirect(base_url(operation))
        return self.render_template("importing/run.html", page=run_page.build(operation))

    @expose("/<int:pk>/progress")
    @has_access
    def progress(self, pk: int) -> Any:
        """The live head alone; `X-Done: 1` says that it will not change by itself any more."""
        operation = self._load(pk)
        found = progress(operation, request.path)
        response = make_response(self.render_template("operations/_progress.html", progress=found))
        if operation.state not in WORKABLE:
            response.headers["X-Done"] = "1"
        return response

    @expose("/<int:pk>/errors.csv")
    @has_access
    def errors(self, pk: int) -> Any:
        """The refused rows with their reasons."""
        operation = self._load(pk)
        headers = {"Content-Disposition": f"attachment; filename=import-{pk}-errors.csv"}
        lines = stream_with_context(report.error_lines(operation))
        return Response(lines, mimetype="text/csv", headers=headers)

    @expose("/<int:pk>/discard", methods=["POST"])
    @has_access
    def discard(self, pk: int) -> Any:
        """Forget an import that never ran."""
        operation = self._load(pk)
        name = flow.source_of(operation).name
        try:
            flow.discard(operation)
        except Clash as error:
            db.session.rollback()
            flash(error.message, "warning")
        else:
            flash(_("%(name)s discarded", name=name), "success")
        return redirect("/imports/")

    def _load(self, pk: int) -> Operation:
        """The user's own import of something they may still import."""
        operation = flow.load(pk, actor())
        if registry.find(operation.resource) is None:
            raise BadQuery(_("What this import brought in is no longer part of the console."))
        flow.importable(operation.resource, actor())
        return operation
