"""What the project and agent dropdowns offer, and what a scope is called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from dashboard.view import View


@dataclass(frozen=True, slots=True)
class Choices:
    """Projects and agents with metrics at any time, as ``MetricReader.choices`` gives them.

    Attributes:
        projects: (n, 2) ``project_id``, ``name``.
        agents: (m, 3) ``agent_id``, ``project_id``, ``name``.
    """

    projects: pd.DataFrame
    agents: pd.DataFrame

    def consistent(self, view: View) -> View:
        """The view with the project that its agent has, should it name another one."""
        if view.project is None or view.agent is None:
            return view
        found = self.agents.loc[self.agents["agent_id"] == view.agent, "project_id"]
        return view if found.empty else replace(view, project=int(found.iloc[0]))

    def project_options(self, view: View) -> list[dict[str, Any]]:
        """All projects, by name."""
        names = self._project_names()
        return _options(names, view.project, "Project")

    def agent_options(self, view: View) -> list[dict[str, Any]]:
        """The chosen project's agents, or all with their project's name."""
        agents, names = self.agents, self._project_names()
        if view.project is not None:
            of_project = agents[agents["project_id"] == view.project]
            labels = dict(zip(of_project["agent_id"], of_project["name"], strict=True))
        else:
            labels = {
                row["agent_id"]: f"{row['name']} · {names.get(row['project_id'], '')}"
                for row in agents.to_dict("records")
            }
        return _options(labels, view.agent, "Agent")

    def scope_name(self, view: View) -> str:
        """The chosen scope in words: ``All projects``, ``Project atlas``, ``Agent 1a2b3c4d``."""
        if view.agent is not None:
            names = dict(zip(self.agents["agent_id"], self.agents["name"], strict=True))
            return f"Agent {names.get(view.agent, view.agent)}"
        if view.project is not None:
            return f"Project {self._project_names().get(view.project, view.project)}"
        return "All projects"

    def _project_names(self) -> dict[int, str]:
        return dict(zip(self.projects["project_id"], self.projects["name"], strict=True))


def _options(labels: dict[int, str], chosen: int | None, kind: str) -> list[dict[str, Any]]:
    # A dropdown drops a value that it does not offer, and what is chosen may have
    # lost its metrics to the retention.
    if chosen is not None and chosen not in labels:
        labels = {chosen: f"{kind} {chosen}", **labels}
    return [{"label": label, "value": int(value)} for value, label in labels.items()]
