"""``activity_metrics``: one column for each measure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    func,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from aggregator.database.models.base import TIMESTAMPTZ_TYPE, Base, HostId
from aggregator.metrics.measures import MEASURES, Measure, SqlType


class ActivityMetric(Base):
    """One bucket (UTC hour) of one scope: an agent, a project, or overall.

    Buckets without turns and without time have no row. Apart from its bucket and scope, a
    row has one column for each of :data:`aggregator.metrics.measures.MEASURES`.
    """

    __tablename__ = "activity_metrics"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    bucket_start: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE)
    agent_id: Mapped[int | None] = mapped_column(
        HostId, ForeignKey("agents.id", ondelete="CASCADE")
    )
    project_id: Mapped[int | None] = mapped_column(
        HostId, ForeignKey("projects.id", ondelete="CASCADE")
    )
    is_overall: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    # The measures are added below; here they are only typed.
    if TYPE_CHECKING:
        turn_count: Mapped[int]
        avg_turn_time_seconds: Mapped[float | None]
        active_agents: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMPTZ_TYPE, server_default=func.now())

    __table_args__ = (
        CheckConstraint(
            "num_nonnulls(agent_id, project_id) + is_overall::int = 1",
            name="ck_activity_metrics_one_scope",
        ),
        Index(
            "uq_activity_metrics_bucket_scope",
            "bucket_start",
            "agent_id",
            "project_id",
            "is_overall",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_activity_metrics_agent_bucket", "agent_id", "bucket_start"),
        Index("ix_activity_metrics_project_bucket", "project_id", "bucket_start"),
        Index("ix_activity_metrics_overall_bucket", "is_overall", "bucket_start"),
    )


SQL_TYPES: Mapping[SqlType, type[TypeEngine[Any]]] = {
    "integer": Integer,
    "double precision": Float,
}
for _measure in MEASURES:
    setattr(
        ActivityMetric,
        _measure.column,
        mapped_column(
            _measure.column,
            SQL_TYPES[_measure.sql_type],
            nullable=not _measure.required and _measure.default is None,
            server_default=None if _measure.default is None else text(str(_measure.default)),
        ),
    )


def column_of(measure: Measure) -> InstrumentedAttribute[Any]:
    """Column of the model for a measure."""
    column: InstrumentedAttribute[Any] = getattr(ActivityMetric, measure.column)
    return column
