"""These tests send requests: they use the whole application instead of the bare one beside them."""

from tests.conftest import app  # noqa: F401
from tests.security.conftest import world  # noqa: F401
