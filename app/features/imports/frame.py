"""What every step of the wizard shows around its content."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from app.core.operations.models import Operation
from app.features.imports.pages import Step, WizardPage
from app.kit import registry
from app.kit.fields import in_sentence
from app.kit.importing import flow
from app.kit.resource import Resource

ORDER = ("file", "columns", "plan", "run")


def base_url(operation: Operation) -> str:
    """Where an import lives."""
    return f"/imports/{operation.id}"


def title_of(resource: Resource) -> str:
    """ "Import contacts"."""
    return _("Import %(what)s", what=in_sentence(resource.plural))


def steps(current: str, urls: dict[str, str]) -> list[Step]:
    """The four steps, those before the current one done."""
    labels = {"file": _("File"), "columns": _("Columns"), "plan": _("Plan"), "run": _("Run")}
    at = ORDER.index(current)
    states = ["done" if i < at else "current" if i == at else "todo" for i in range(len(ORDER))]
    return [Step(labels[name], state, urls.get(name, "")) for name, state in zip(ORDER, states, strict=True)]


def frame(operation: Operation, current: str, errors: Sequence[str] = ()) -> WizardPage:
    """The frame of an import that has its file; the way back is open until it runs."""
    resource, urls = registry.get(operation.resource), {}
    if flow.step_of(operation) != flow.Step.RUN:
        urls = {"file": f"/imports/new?resource={resource.name}", "columns": f"{base_url(operation)}/columns"}
    elif current == "run":
        urls = {"plan": f"{base_url(operation)}/plan"}
    name = flow.source_of(operation).name
    return WizardPage(title_of(resource), steps(current, urls), "/imports/", name, list(errors))
