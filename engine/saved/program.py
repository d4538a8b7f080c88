"""A checkpoint as a program that needs no laddertop where it is run: of torch (pt2), or of ONNX."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from laddertop.engine.contract import Classifies, Denoises, Encodes, Model
from laddertop.engine.saved.model import Saved
from laddertop.journal.folder import RunFolder


class Answers(nn.Module):
    """What a model answers to rows, for those who export it."""

    def __init__(self, model: Model) -> None:
        """The model has to be settled."""
        super().__init__()
        self.model = model
        self.eval()  # exporters ask; no model here makes a difference

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Of x [N, D], on the scale that it was trained on, as far as the model can: the main representation `codes`
        [N, U], the `reconstruction` [N, D] of x as it is, and the `probabilities` of the classes [N, K]. Nothing is
        drawn."""
        model, answers = self.model, {}
        if isinstance(model, Encodes):
            answers["codes"] = list(model.codes(x).values())[-1]
        if isinstance(model, Denoises):
            answers["reconstruction"] = model.denoise(x)
        if isinstance(model, Classifies):
            answers["probabilities"] = model.classify(x)
        return answers


def write_program(run: RunFolder, step: int | None, kind: str, out: Path) -> int:
    """Writes a program of a `kind`, onnx or pt2, for any number of rows, on the CPU and in float32, with run, recipe,
    step and spec as metadata, and prints one JSON object: step, and the answers' names and widths.

    `step` is that of the checkpoint, None the newest. Raises ValueError when there is none, it is damaged or torch
    can't export the model, OSError when the file can't be written.
    """
    saved = Saved(run, step, portable=True)
    saved.subject.settle()
    answers, rows = Answers(saved.subject.model), saved.subject.data.test.rows(slice(2)).float()
    about = {"run": run.name, "recipe": run.spec.recipe, "step": str(saved.checkpoint.step)}
    about["spec"] = run.spec.model_dump_json()
    with torch.no_grad():
        widths = {name: answer.shape[1] for name, answer in answers(rows).items()}
    if not widths:
        raise ValueError(f"the model of {run.name} has no codes, reconstructs nothing and tells no classes apart")
    out.write_bytes(exported(kind, answers, rows, about))
    print(json.dumps({"step": saved.checkpoint.step, "answers": widths}))
    return 0


def exported(kind: str, answers: Answers, rows: Tensor, about: dict[str, str]) -> bytes:
    """A program of a `kind`, onnx or pt2, made with some rows [N, D] for any number of them; `about` is its metadata.

    Raises ValueError where torch can't export the model.
    """
    with torch.no_grad(), warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter("ignore")
        try:
            return {"onnx": _onnx, "pt2": _pt2}[kind](answers, rows, about)
        except Exception as error:  # an exporter may stumble over anything that a model does
            cause: BaseException = error
            while cause.__cause__ is not None:
                cause = cause.__cause__
            why = str(cause).strip().partition("\n")[0]
            advice = "`laddertop export --to safetensors` writes its weights"
            raise ValueError(f"torch can't export this model to {kind}: {why}; {advice}") from error


def _pt2(answers: Answers, rows: Tensor, about: dict[str, str]) -> bytes:
    """What `torch.export.load` opens; `about` lies in it as the extra file about.json."""
    program = torch.export.export(answers, (rows,), dynamic_shapes=({0: torch.export.Dim("rows")},), strict=False)
    written = io.BytesIO()
    torch.export.save(program, written, extra_files={"about.json": json.dumps(about)})
    return written.getvalue()


def _onnx(answers: Answers, rows: Tensor, about: dict[str, str]) -> bytes:
    """What ONNX runtimes open: input x, outputs by name."""
    program: Any = torch.onnx.export(
        answers,
        (rows,),
        input_names=["x"],
        output_names=list(answers(rows)),
        dynamic_shapes=({0: "rows"},),
        dynamo=True,
        verbose=False,
    )
    program.model.metadata_props.update(about)
    return bytes(program.model_proto.SerializeToString())
