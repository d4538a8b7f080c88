"""Having an engine look at a user's own data before a run is made of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from laddertop.journal.spec import Spec, override, parse
from laddertop.tui.steer.engine_process import command, environment


def looked_at(spec: Spec) -> Spec:
    """The spec with what is found in the user's own data, where it names some; read whole by an engine, which takes its
    time with large ones.

    Raises ValueError when they can't be trained on, or do not fit the rest of the spec.
    """
    if not spec.data.own:
        return spec
    # A resume may come from another folder.
    spec = override(spec, [f"data.name={json.dumps(str(Path(spec.data.name).expanduser().absolute()))}"])
    asked = json.dumps({"data": spec.data.model_dump(), "seed": spec.seed})
    told = subprocess.run(command("look"), input=asked, capture_output=True, text=True, env=environment())
    if told.returncode:
        words = told.stderr.strip().rpartition("\n")[2].removeprefix("laddertop: ")
        raise ValueError(words or f"the engine that looks at {spec.data.name} died (exit status {told.returncode})")
    tree = spec.model_dump()
    tree["data"]["found"] = json.loads(told.stdout)
    return parse(tree, "the settings")
