"""How our commands end where the user can act: with one line on stderr."""

from __future__ import annotations

from typing import Any, NoReturn

import click

from aggregator.errors import ActivityError


class OneLineGroup(click.Group):
    """A group whose commands exit 1 with the message of an :class:`ActivityError`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ActivityError as error:
            _end(ctx, self.name, error)


def _end(ctx: click.Context, name: str | None, error: ActivityError) -> NoReturn:
    click.echo(f"{name}: {error}", err=True)
    ctx.exit(1)
