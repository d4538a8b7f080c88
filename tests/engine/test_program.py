"""A model that was exported answers in another program what it answers here."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from laddertop.engine.contract import Follows, Settles
from laddertop.engine.saved.program import Answers, exported
from tests.engine.conftest import Bench
from tests.kinds import KINDS, small_spec

QUICK = "sdae"
"""A kind that is exported quickly, and has all answers."""


def answers(kind: str) -> tuple[Answers, Tensor]:
    """A settled model with every parameter moved, and rows for it."""
    bench = Bench(small_spec(kind))
    model: Any = bench.model
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.cos(1.7 * torch.arange(parameter.numel())).view_as(parameter)
    if isinstance(model, Follows):
        model.follow(bench.controls.by_name())
    if isinstance(model, Settles):
        model.settle(bench.batches)
    return Answers(model), bench.data.test.rows(slice(13))


def check(kind: str) -> list[str]:
    """Exports a model from two rows and asks both programs about thirteen; returns the names of the answers."""
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs what `make install` brings")
    mine, rows = answers(kind)
    with torch.no_grad():
        right = mine(rows)
        written = exported("pt2", mine, rows[:2], {"step": "7"})
        more = {"about.json": ""}
        told = torch.export.load(io.BytesIO(written), extra_files=more).module()(rows)
        assert json.loads(more["about.json"]) == {"step": "7"}
        session = onnxruntime.InferenceSession(exported("onnx", mine, rows[:2], {"step": "7"}))
    assert session.get_modelmeta().custom_metadata_map["step"] == "7"
    assert list(told) == list(right) == [output.name for output in session.get_outputs()]
    for name, answer, other in zip(right, right.values(), session.run(None, {"x": rows.numpy()}), strict=True):
        torch.testing.assert_close(told[name], answer, rtol=0, atol=0)
        np.testing.assert_allclose(other, answer, rtol=1e-3, atol=1e-4, err_msg=name)
    return list(right)


def test_an_exported_model_answers_as_it_does_here() -> None:
    assert check(QUICK) == ["codes", "reconstruction", "probabilities"]


@pytest.mark.stress
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != QUICK])
def test_every_kind_of_model_is_exported_and_answers_as_it_does_here(kind: str) -> None:
    assert "reconstruction" in check(kind)


class Undecided(nn.Module):
    """A model that does one thing or another, as its items are."""

    def denoise(self, x: Tensor) -> Tensor:
        return x if x.sum() > 3 else -x


@pytest.mark.parametrize("kind", ["onnx", "pt2"])
def test_what_torch_can_not_export_is_said_with_what_can_be_done(kind: str) -> None:
    pytest.importorskip("onnxscript", reason="needs laddertop[onnx]")
    why = rf"torch can't export this model to {kind}: Could not guard on .*; `laddertop export --to safetensors` writes"
    with pytest.raises(ValueError, match=why):
        exported(kind, Answers(Undecided()), torch.zeros(2, 4), {})
