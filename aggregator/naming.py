"""From what people call projects and agents to their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from aggregator.errors import ParameterError, UnknownNameError

Names = int | str | Iterable[int | str]


def find_ids(wanted: Names | None, known: pd.DataFrame, kind: str) -> tuple[int, ...]:
    """The ids that are meant.

    Args:
        wanted: One or several, each an id or a name, in upper or lower case; a text of
            digits that is no name is an id. None for none.
        known: (n, ≥2) frame of ``<kind>_id`` and ``name``.
        kind: ``project`` or ``agent``.

    Returns:
        Ascending and distinct. An id is taken as it is, known or not.

    Raises:
        UnknownNameError: A name is none of theirs, or that of several.
        ParameterError: It is neither an id nor a name.
    """
    if wanted is None:
        return ()
    each = wanted if isinstance(wanted, Iterable) and not isinstance(wanted, str) else [wanted]
    names = dict(zip(known[f"{kind}_id"].astype(int), known["name"], strict=True))
    return tuple(sorted({_id_of(one, names, kind) for one in each}))


def _id_of(wanted: int | str, names: Mapping[int, str], kind: str) -> int:
    # A frame's ids are numpy's own integers.
    if isinstance(wanted, int | np.integer) and not isinstance(wanted, bool):
        return int(wanted)
    if not isinstance(wanted, str):
        raise ParameterError(kind, wanted, "ids or names")
    found = [one for one, name in names.items() if name.casefold() == wanted.casefold()]
    if not found and wanted.isascii() and wanted.isdigit():
        return int(wanted)
    if len(found) != 1:
        raise UnknownNameError(kind, wanted, names, found)
    return found[0]
