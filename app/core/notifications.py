"""Notifications: what the bell shows (PLT-08, PLT-17)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.core import columns
from app.core.clock import utcnow
from app.core.db import db
from app.core.mixins import Entity, OwnedByUser
from app.core.security.principal import Principal


class Notification(Entity, OwnedByUser):
    """One message to one user (`user_id`); `url` is a path of the console, `tone` is info, ok, warn or bad."""

    __tablename__ = "notification"
    __audited__ = False
    __see_all__ = ("can_reach_all", "notification")
    __table_args__ = (
        sa.Index("ix_notification_user_created", "user_id", "created_at"),
        sa.Index(
            "ix_notification_unread",
            "user_id",
            sqlite_where=sa.text("read_at IS NULL"),
            postgresql_where=sa.text("read_at IS NULL"),
        ),
    )

    kind: Mapped[str] = columns.text(32, nullable=False, default="")
    tone: Mapped[str] = columns.text(16, nullable=False, default="info")
    title: Mapped[str] = columns.text(250, nullable=False)
    text: Mapped[str] = columns.text(500, nullable=False, default="")
    url: Mapped[str] = columns.text(500, nullable=False, default="")
    read_at: Mapped[datetime | None] = columns.moment()
    operation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("operation.id", ondelete="SET NULL"), index=True)

    def __str__(self) -> str:
        return self.title


TABLE: Any = Notification.__table__


def notify(user_id: int, title: str, *, text: str = "", url: str = "", tone: str = "info", kind: str = "",
           operation_id: int | None = None) -> None:  # fmt: skip
    """Write a notification in the current transaction. `url` is a path beginning with one slash, or empty.

    A Core insert: nobody needs the right to notify, and the sender may not see what the receiver has.
    """
    if url and (not url.startswith("/") or url.startswith("//")):
        raise ValueError(f"a notification leads into the console, not to {url}")
    now = utcnow()
    row = {
        "user_id": user_id,
        "title": title[:250],
        "text": text[:500],
        "url": url,
        "tone": tone,
        "kind": kind,
        "operation_id": operation_id,
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }
    db.session.execute(sa.insert(TABLE), row)


def unread_count(principal: Principal) -> int:
    """How many notifications the principal has not read: one index look-up."""
    mine = sa.select(sa.func.count()).select_from(TABLE).where(TABLE.c.user_id == principal.user_id)
    return int(db.session.scalar(mine.where(TABLE.c.read_at.is_(None))) or 0)


def latest(principal: Principal, limit: int = 20) -> list[Notification]:
    """The principal's own newest notifications, also for one who may see everybody's."""
    mine = sa.select(Notification).where(Notification.user_id == principal.user_id)
    return list(db.session.scalars(mine.order_by(Notification.created_at.desc(), Notification.id.desc()).limit(limit)))


def mark_read(principal: Principal, notification_id: int | None = None) -> int:
    """Mark one or all of the principal's notifications as read; how many were unread."""
    unread = sa.update(TABLE).where(TABLE.c.user_id == principal.user_id, TABLE.c.read_at.is_(None))
    if notification_id is not None:
        unread = unread.where(TABLE.c.id == notification_id)
    result: Any = db.session.execute(unread.values(read_at=utcnow(), updated_at=utcnow()))
    return int(result.rowcount)
