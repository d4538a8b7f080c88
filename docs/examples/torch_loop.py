"""A VAE of one's own in a plain loop of torch, on the digits of scikit-learn: saved, measured and drawn when asked.

python torch_loop.py [steps]
"""

import sys

import torch
from sklearn.datasets import load_digits
from torch import nn

import laddertop

x = torch.tensor(load_digits().data / 16, dtype=torch.float32)
encoder, decoder = nn.Linear(64, 16), nn.Sequential(nn.Linear(8, 64), nn.Sigmoid())
parameters = [*encoder.parameters(), *decoder.parameters()]
adam = torch.optim.Adam(parameters)


def costs(images):
    mean, log_sd = encoder(images).chunk(2, dim=1)
    made = decoder(mean + log_sd.exp() * torch.randn_like(mean))
    kl = 0.5 * (mean**2 + (2 * log_sd).exp() - 2 * log_sd - 1).sum(1).mean()
    return kl, nn.functional.binary_cross_entropy(made, images, reduction="none").sum(1).mean()


def save():
    torch.save([p.detach() for p in parameters], "my-vae.pt")
    return "my-vae.pt"


run = laddertop.start(
    steps=int(sys.argv[1]) if len(sys.argv) > 1 else 5000,
    terms={"kl": "beta", "reconstruction": None},
    knobs={"lr": 1e-3, "beta": 1.0},
    saves=save,
    evaluates=lambda: {"negative_elbo": sum(costs(x)).item()},
    draws=lambda: decoder(torch.randn(10, 8)).view(-1, 8, 8),
)
for _ in run:
    kl, reconstruction = costs(x[torch.randint(len(x), (100,))])
    adam.param_groups[0]["lr"] = run.knob("lr")
    adam.zero_grad()
    (run.knob("beta") * kl + reconstruction).backward()
    adam.step()
    run.record(kl=kl, reconstruction=reconstruction)
