"""What the project and agent dropdowns offer, and what a scope is called."""

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
    """Projects and agents with metrics at any time, as ``MetricReader.choices`` gives them.

    Attributes:
        projects: (n, 2) ``project_id``, ``name``.
        agents: (m, 3) ``agent_id``, ``project_id``, ``name``.
    """

    projects: pd.DataFrame
    agents: pd.DataFrame

    @cached_property
    def project_names(self) -> dict[int, str]:
        """Names by id."""
        return dict(zip(self.projects["project_id"], self.projects["name"], strict=True))

    @cached_property
    def agent_names(self) -> dict[int, str]:
        """Names by id."""
        return dict(zip(self.agents["agent_id"], self.agents["name"], strict=True))

    def consistent(self, view: View) -> View:
        """The view with the projects of its agents among those it names, if it names any."""
        if not view.projects or not view.agents:
            return view
        owners = self.agents.loc[self.agents["agent_id"].isin(view.agents), "project_id"]
        return replace(view, projects=tuple(sorted({*view.projects, *map(int, owners)})))

    def cascaded(self, view: View) -> View:
        """The view without the agents that belong to none of its projects."""
        if not view.projects:
            return view
        inside = self.agents[self.agents["project_id"].isin(view.projects)]["agent_id"]
        return replace(view, agents=tuple(one for one in view.agents if one in set(inside)))

    def project_options(self, view: View) -> list[DropdownOption]:
        """All projects, by name."""
        return _options(self.project_names, view.projects, "Project")

    def agent_options(self, view: View) -> list[DropdownOption]:
        """The agents of the chosen projects, or all; with their project's name unless it is one."""
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
        """The scope in words: ``All projects``, ``Project atlas``, ``3 agents``."""
        if view.agents:
            return _named("Agent", view.agents, self.agent_names)
        return (
            _named("Project", view.projects, self.project_names)
            if view.projects
            else "All projects"
        )


def _named(kind: str, chosen: tuple[int, ...], names: dict[int, str]) -> str:
    if len(chosen) > 1:
        return formatting.counted(len(chosen), kind.lower())
    return f"{kind} {names.get(chosen[0], chosen[0])}"


def _options(labels: dict[int, str], chosen: tuple[int, ...], kind: str) -> list[DropdownOption]:
    # A dropdown drops a value that it does not offer, and what is chosen may have
    # lost its metrics to the retention.
    lost = {one: f"{kind} {one}" for one in chosen if one not in labels}
    return [{"label": label, "value": int(value)} for value, label in {**lost, **labels}.items()]
