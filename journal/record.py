"""What everything in a journal that is not a number is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A plain value of the journal. Unknown keys are ignored, so that older front ends read newer runs."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")
