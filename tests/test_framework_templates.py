"""The framework's own templates, as they were when ours replaced them: an upgrade that changes one is looked at, not missed."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import flask_appbuilder

FOLDER = Path(flask_appbuilder.__file__).parent / "templates"
# The hash of all file names and contents. When it changes: `git diff --no-index` the two versions' templates, carry over what
# matters into templates/appbuilder, then put the new hash here.
SEEN = "07dfdbc5f0d921b7868fe02ab0f37043b64e37273a5af26a72d05986e9493354"
COUNT = 56
OURS = Path(__file__).resolve().parents[1] / "templates"


def test_the_framework_s_templates_are_the_ones_we_replaced() -> None:
    files = sorted(path for path in FOLDER.rglob("*.html"))
    digest = sha256()
    for path in files:
        digest.update(str(path.relative_to(FOLDER)).encode() + b"\0" + path.read_bytes())
    assert len(files) == COUNT
    assert digest.hexdigest() == SEEN


def test_no_page_of_ours_brings_the_framework_s_scripts_back() -> None:
    for path in OURS.rglob("*.html"):
        text = path.read_text()
        for old in ("jquery", "select2.min", "bootstrap-datepicker", "ab_actions.js", "onclick="):
            assert old not in text.lower(), f"{path.name} holds {old}"
        assert not re.search(r'<\w[^>{%]*\sstyle="', text), f"{path.name} has an inline style"
