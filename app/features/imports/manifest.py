"""What the imports feature adds: the wizard, the command and the kind of operation behind both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.operations.handlers import register
from app.kit.importing.flow import HANDLER
from app.kit.resource import Feature

if TYPE_CHECKING:
    from flask import Flask


def setup(app: Flask) -> None:
    """Make imports known to the engine."""
    del app
    register(HANDLER)


FEATURE = Feature("imports", setup=setup)
