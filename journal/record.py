"""What everything in a journal that is not a number is made of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A plain value of the journal. Unknown keys are ignored, so that older front ends read newer runs."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")


def as_json(record: BaseModel) -> Any:
    """A record as plain JSON values; NaN and infinities as strings."""
    return json.loads(record.model_dump_json())


def lean(records: Iterable[object]) -> None:
    """Lets records, and those in them, forget which of their keys were given: that takes more than half of the memory
    of what is read of a run, and nothing asks for it."""
    for record in records:
        if isinstance(record, Record):
            object.__setattr__(record, "__pydantic_fields_set__", _NONE_GIVEN)
            for value in record.__dict__.values():
                if isinstance(value, list):
                    lean(value)
                elif isinstance(value, dict):
                    lean(value.values())


_NONE_GIVEN: set[str] = set()
"""Shared by all that forgot; a copy of a record has a set of its own."""
