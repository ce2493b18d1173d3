"""Agents: their names, who belongs to a scope, and what each of them is doing."""
