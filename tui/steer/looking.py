"""Having an engine look at a user's own data before a run is made of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from laddertop.journal.sections import FoundData
from laddertop.journal.spec import LOOKED_AT_WITH, Spec, override, parse
from laddertop.journal.start import check_start, on_settled_device
from laddertop.tui.steer.engine_process import command, environment


def looked_at(spec: Spec) -> Spec:
    """The spec with what is found in the user's own data, where it names some; read whole by an engine, which takes its
    time with large ones.

    Raises ValueError when they can't be trained on, or do not fit the rest of the spec.
    """
    return with_found(spec, found_in(spec)) if spec.data.own else spec


def startable(spec: Spec) -> Spec:
    """The spec with everything that is settled and found before there is a run of it: device and own data.

    Raises ValueError when it can't be trained here.
    """
    spec = looked_at(on_settled_device(spec))
    check_start(spec)
    return spec


def found_in(spec: Spec) -> FoundData:
    """What is found in the user's own data. Raises ValueError when they can't be trained on."""
    data = _placed(spec).data
    asked = json.dumps({"data": data.model_dump(), "seed": spec.seed})
    told = subprocess.run(command("look"), input=asked, capture_output=True, text=True, env=environment())
    if told.returncode:
        words = told.stderr.strip().rpartition("\n")[2].removeprefix("laddertop: ")
        raise ValueError(words or f"the engine that looks at {data.name} died (exit status {told.returncode})")
    return FoundData.model_validate_json(told.stdout)


def with_found(spec: Spec, found: FoundData) -> Spec:
    """The spec with what was found. Raises ValueError when it does not fit the rest."""
    tree = _placed(spec).model_dump()
    tree["data"]["found"] = found.model_dump()
    return parse(tree, "the settings")


def asked_of(spec: Spec) -> str:
    """What decides the answer of `found_in`."""
    data = spec.data.model_dump()
    return json.dumps([spec.seed, *(data[key.removeprefix("data.")] for key in LOOKED_AT_WITH)])


def _placed(spec: Spec) -> Spec:
    # A resume may come from another folder.
    return override(spec, [f"data.name={json.dumps(str(Path(spec.data.name).expanduser().absolute()))}"])
