"""Whether another user reaches a client: what choosing an owner or a representative asks (PLT-04)."""

from __future__ import annotations

import sqlalchemy as sa

from app.core.db import db
from app.core.security.principal import principal_by_id
from app.core.security.scope import granted_client_ids


def reaches(user_id: int, client_id: int) -> bool:
    """Can this user see rows of this client? False for a user who is gone or switched off."""
    try:
        ids = granted_client_ids(principal_by_id(user_id))
    except LookupError:
        return False
    return ids is None or db.session.scalar(sa.select(sa.literal(client_id).in_(ids))) is True
