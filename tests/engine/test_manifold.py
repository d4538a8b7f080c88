"""The plane of a code of two units on a grid: where it lies, and what it is decoded to."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
import torch

from laddertop.engine.explore import manifold
from laddertop.engine.explore.answers import answer
from laddertop.journal.explore import Manifold
from tests.engine.test_answers import on_points, subject


@pytest.mark.parametrize("lines", [2, 7, 50])
def test_the_lines_are_the_quantiles_in_the_middle_of_equally_probable_parts(lines: int) -> None:
    expected = [NormalDist().inv_cdf((i + 0.5) / lines) for i in range(lines)]
    np.testing.assert_allclose(manifold.quantiles(lines), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("vae", ["model.latent=2"]),
        ("vae", ["model.latent=2", "noise.kind=gaussian", "noise.std=0.3"]),
        ("vae", ["model.upper_hidden=[9]", "model.upper_latent=2"]),
        ("lvae", ["model.latent=[6, 4, 2]"]),
    ],
)
def test_every_image_is_decoded_from_quantiles_of_the_prior_the_second_unit_upwards(
    kind: str, settings: list[str]
) -> None:
    asked = subject(kind, *settings)
    arrays = answer(asked, Manifold(lines=5))
    normal = NormalDist()
    for row in range(5):
        for column in range(5):
            code = [normal.inv_cdf((column + 0.5) / 5), normal.inv_cdf((4 - row + 0.5) / 5)]
            np.testing.assert_allclose(arrays["codes"][row, column], code, atol=1e-6)
            with torch.no_grad():
                decoded = asked.model.decode(torch.tensor([code], dtype=torch.float32))  # type: ignore[attr-defined]
            expected = asked.data.pictures(decoded)[0]
            assert np.abs(arrays["images"][row, column].astype(int) - expected).max() <= 1


def test_without_a_prior_the_grid_spans_the_codes_of_the_first_500_test_items() -> None:
    asked = subject("dae", "model.hidden=[16, 2]")
    codes = answer(asked, Manifold(lines=4))["codes"]
    with torch.no_grad():
        of_items = asked.model.codes(asked.data.test.rows(slice(0, 500)))["hidden.2"].numpy()  # type: ignore[attr-defined]
    low, high = of_items.min(0), of_items.max(0)
    np.testing.assert_allclose(codes[2, :, 0], np.linspace(low[0], high[0], 4), rtol=1e-5)
    np.testing.assert_allclose(codes[:, 1, 1], np.linspace(high[1], low[1], 4), rtol=1e-5)


def test_points_of_the_plane_are_decoded_to_points() -> None:
    asked = subject("dae", "data.name=moons", "model.hidden=[16, 2]", "model.loss=squared")
    assert answer(asked, Manifold(lines=6))["images"].shape == (6, 6, 2)
    with pytest.raises(
        ValueError, match="manifold: a dae on moons is no model with a way back from codes of two units"
    ):
        answer(on_points(), Manifold())
