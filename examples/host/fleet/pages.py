"""The host's own pages, and the counts in its header."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint, Flask, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from fleet.models import Agent, Project, db

pages = Blueprint("pages", __name__)


def init_app(app: Flask) -> None:
    """Add the pages, the page for status 404, and the counts in the header."""
    app.register_blueprint(pages)
    app.register_error_handler(404, not_found)
    app.context_processor(lambda: {"status_counts": status_counts})


def status_counts() -> Counter[str]:
    """Count the running agents by the state of their newest task."""
    running = select(Agent).where(Agent.ended_at.is_(None)).options(selectinload(Agent.tasks))
    return Counter(agent.status for agent in db.session.scalars(running))


@pages.get("/")
def agents() -> str:
    """List all agents, the newest first."""
    newest_first = (
        select(Agent)
        .options(joinedload(Agent.project), selectinload(Agent.tasks))
        .order_by(Agent.started_at.desc())
    )
    return render_template("agents.html", agents=db.session.scalars(newest_first).all())


@pages.post("/agents/<int:agent_id>/end")
def end_agent(agent_id: int) -> Response:
    """Mark an agent as ended."""
    agent: Agent = db.get_or_404(Agent, agent_id)
    agent.end()
    db.session.commit()
    return redirect(url_for("pages.agents"))


@pages.get("/projects")
def projects() -> str:
    """List all projects with the number of their agents."""
    by_name = select(Project).options(selectinload(Project.agents)).order_by(Project.name)
    return render_template("projects.html", projects=db.session.scalars(by_name).all())


def not_found(_: NotFound) -> tuple[str, int]:
    """Show the page for status 404."""
    return render_template("404.html"), 404
