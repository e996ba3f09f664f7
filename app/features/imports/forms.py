"""The upload form."""

from __future__ import annotations

from flask_appbuilder.forms import DynamicForm
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField


class UploadForm(DynamicForm):
    """One file; what is wrong with it is said beside it by the view, because only reading tells."""

    file = FileField(_l("File"))
