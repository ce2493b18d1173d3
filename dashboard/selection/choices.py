"""The choices of the project and agent dropdowns, and the name of a scope."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from dashboard import formatting
from dashboard.selection.view import View

DropdownOption = dict[str, Any]


@dataclass(frozen=True)
class Choices:
    """Projects and agents with metrics at any time, as ``MetricReader.choices`` returns them.

    Attributes:
        projects: (n, 2) ``project_id``, ``name``.
        agents: (m, 3) ``agent_id``, ``project_id``, ``name``.
    """

    projects: pd.DataFrame
    agents: pd.DataFrame

    @cached_property
    def project_names(self) -> dict[int, str]:
        """Names of the projects by id."""
        return dict(zip(self.projects["project_id"], self.projects["name"], strict=True))

    @cached_property
    def agent_names(self) -> dict[int, str]:
        """Names of the agents by id."""
        return dict(zip(self.agents["agent_id"], self.agents["name"], strict=True))

    def consistent(self, view: View) -> View:
        """Return a view with the projects of its agents added, if it names any projects."""
        if not view.projects or not view.agents:
            return view
        owners = self.agents.loc[self.agents["agent_id"].isin(view.agents), "project_id"]
        return replace(view, projects=tuple(sorted({*view.projects, *map(int, owners)})))

    def cascaded(self, view: View) -> View:
        """Return a view without the agents that belong to none of its projects."""
        if not view.projects:
            return view
        members = set(self.agents[self.agents["project_id"].isin(view.projects)]["agent_id"])
        return replace(view, agents=tuple(agent for agent in view.agents if agent in members))

    def project_options(self, view: View) -> list[DropdownOption]:
        """Return all projects, sorted by name."""
        return _options(self.project_names, view.projects, "Project")

    def agent_options(self, view: View) -> list[DropdownOption]:
        """Return the agents of the chosen projects, or all agents.

        Labels include the name of the project, unless exactly one project is chosen.
        """
        agents = self.agents
        if view.projects:
            agents = agents[agents["project_id"].isin(view.projects)]
        if len(view.projects) == 1:
            labels = dict(zip(agents["agent_id"], agents["name"], strict=True))
        else:
            names = self.project_names
            labels = {
                agent: f"{name} · {names.get(project, '')}"
                for agent, project, name in agents.itertuples(index=False)
            }
        return _options(labels, view.agents, "Agent")

    def scope_name(self, view: View) -> str:
        """Name the scope: ``All projects``, ``Project atlas``, ``3 agents``."""
        if view.agents:
            return _members_name("Agent", view.agents, self.agent_names)
        name = (
            _members_name("Project", view.projects, self.project_names)
            if view.projects
            else "All projects"
        )
        return f"{name}, {view.origin} agents" if view.origin else name


def _members_name(kind: str, chosen: tuple[int, ...], names: dict[int, str]) -> str:
    if len(chosen) > 1:
        return formatting.counted(len(chosen), kind.lower())
    return f"{kind} {names.get(chosen[0], chosen[0])}"


def _options(labels: dict[int, str], chosen: tuple[int, ...], kind: str) -> list[DropdownOption]:
    # A dropdown drops values that it does not offer, and a chosen member may have lost
    # its metrics to the retention.
    lost = {member: f"{kind} {member}" for member in chosen if member not in labels}
    return [{"label": label, "value": int(value)} for value, label in {**lost, **labels}.items()]
