"""Having an engine look at a user's own data and model before a run is made of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from laddertop.journal.own_model import OwnModelSection
from laddertop.journal.places import DATA_GROUP, offered
from laddertop.journal.sections import FoundData
from laddertop.journal.settings import TRUSTED
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
    if spec.policy.babysat:
        from laddertop.tui.steer.babysitter import check_kinds  # which is slow to load

        check_kinds(spec.policy)
    return with_model(spec) if isinstance(spec.model, OwnModelSection) else spec


def with_model(spec: Spec) -> Spec:
    """The spec with what is found in the class that is its model, which an engine runs once.

    From here on this process and the engines that it starts trust that text: its user named it. Raises ValueError when
    it can't be trained.
    """
    spec = Spec.model_validate_json(_asked(["look-model"], _placed_model(spec), spec.model.called))
    assert isinstance(spec.model, OwnModelSection)
    assert spec.model.found
    os.environ[TRUSTED] = spec.model.found.sha256
    return spec


def found_in(spec: Spec) -> FoundData:
    """What is found in the user's own data. Raises ValueError when they can't be trained on."""
    data = _placed(spec).data
    asked = json.dumps({"data": data.model_dump(), "seed": spec.seed})
    return FoundData.model_validate_json(_asked(["look"], asked, data.name))


def with_found(spec: Spec, found: FoundData) -> Spec:
    """The spec with what was found. Raises ValueError when it does not fit the rest."""
    tree = _placed(spec).model_dump()
    tree["data"]["found"] = found.model_dump()
    return parse(tree, "the settings")


def offered_data(name: str) -> str:
    """The path of the data that an installed package offers under a name, which an engine asks it for; the name itself
    where none does. Raises ValueError in the words of the package."""
    return _asked(["offered", name], "", name) if name in offered(DATA_GROUP) else name


def asked_of(spec: Spec) -> str:
    """What decides the answer of `found_in`."""
    data = spec.data.model_dump()
    return json.dumps([spec.seed, *(data[key.removeprefix("data.")] for key in LOOKED_AT_WITH)])


def _asked(question: list[str], asked: str, what: str) -> str:
    """The last line that an engine answers, which looks at something. Raises ValueError in its words."""
    told = subprocess.run(command(*question), input=asked, capture_output=True, text=True, env=environment())
    if told.returncode:
        words = told.stderr.strip().rpartition("\n")[2].removeprefix("laddertop: ")
        raise ValueError(words or f"the engine that looks at {what} died (exit status {told.returncode})")
    return told.stdout.strip().rpartition("\n")[2]


def _placed_model(spec: Spec) -> str:
    """The spec as JSON, with the whole path of its model: a resume may come from another folder."""
    tree = spec.model_dump()
    if isinstance(spec.model, OwnModelSection) and spec.model.path is not None:
        tree["model"]["place"] = f"{spec.model.path.expanduser().absolute()}:{spec.model.called}"
    return json.dumps(tree)


def _placed(spec: Spec) -> Spec:
    # A resume may come from another folder.
    return override(spec, [f"data.name={json.dumps(str(Path(spec.data.name).expanduser().absolute()))}"])
