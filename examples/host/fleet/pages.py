"""The host's own pages, and what its base template shows on every page."""

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
    """Add the pages, the page for what is not there, and the counts in the header."""
    app.register_blueprint(pages)
    app.register_error_handler(404, not_found)
    app.context_processor(lambda: {"status_counts": status_counts})


def status_counts() -> Counter[str]:
    """How many agents run, by what their newest task says."""
    running = select(Agent).where(Agent.ended_at.is_(None)).options(selectinload(Agent.tasks))
    return Counter(agent.status for agent in db.session.scalars(running))


@pages.get("/")
def agents() -> str:
    """All agents, the newest first."""
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
    """All projects with the number of their agents."""
    by_name = select(Project).options(selectinload(Project.agents)).order_by(Project.name)
    return render_template("projects.html", projects=db.session.scalars(by_name).all())


def not_found(_: NotFound) -> tuple[str, int]:
    """The page for what is not there."""
    return render_template("404.html"), 404
