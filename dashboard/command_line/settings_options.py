"""Settings as options of a command."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from aggregator.settings import OPTIONS, Settings


def settings_from(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of these settings; pass them on as one ``settings``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**given: Any) -> None:
            values = {name: given.pop(name) for name in names}
            command(settings=Settings.load(values), **given)

        options: Callable[..., None] = run
        for option in reversed([option for option in OPTIONS if option.name in names]):
            flag = "--" + option.name.replace("_", "-")
            text = f"{option.help}  [{option.variable}; default: {option.shown_default}]"
            if option.is_flag:
                options = click.option(flag, is_flag=True, help=text)(options)
                continue
            options = click.option(
                flag, metavar=option.metavar, multiple=option.repeatable, help=text
            )(options)
        return options

    return decorate
