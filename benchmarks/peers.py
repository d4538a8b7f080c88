"""Other people's training steps, run from local clones, unmodified. Nothing of theirs is part of this project.

Each function takes the folder of a clone and a batch, and returns a function that takes one step. Those that end in
`_loaded` take the images of several batches and return a function that takes a step of each, with the peer's own data
loader as its users have it, and says how many they were.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def ladder_port(clone: Path, labelled: Tensor, labels: Tensor, x: Tensor) -> Callable[[], None]:
    """le-big-mac/Semi-Supervised_Models: its own training loop over one batch, without its data loader."""
    net = _ladder_network(clone)

    def step() -> None:
        net.train_model(1, ([(x, None)], [(labelled, labels)], None))

    return step


def ladder_port_loaded(clone: Path, images: Tensor, labels: Tensor, batch: int) -> Callable[[], int]:
    """The same over shuffled loaders of images [N, 784] and labels [N], as its scripts make them."""
    net = _ladder_network(clone)
    data = torch.utils.data.TensorDataset(images, labels)
    loaders = [torch.utils.data.DataLoader(data, batch_size=batch, shuffle=True) for _ in range(2)]

    def steps() -> int:
        net.train_model(1, (*loaders, None))
        return len(loaders[0])

    return steps


def _ladder_network(clone: Path) -> Any:
    # Their package's __init__ imports every model; only the ladder network is wanted.
    package = types.ModuleType("Models")
    package.__path__ = [str(clone / "Models")]
    sys.modules["Models"] = package
    sys.path.insert(0, str(clone))
    ladder = importlib.import_module("Models.Ladder")
    weights = [1000.0, 10.0, 0.1, 0.1, 0.1, 0.1, 0.1]
    return ladder.LadderNetwork(784, [1000, 500, 250, 250, 250], 10, weights, 0.002, "cpu", "m", "/tmp")


def ladder_lamda(clone: Path, labelled: Tensor, labels: Tensor, x: Tensor) -> Callable[[], None]:
    """YGZWQZD/LAMDA-SSL: its network with the costs of its algorithm (cross-entropy and denoising), Adam."""
    path = clone / "LAMDA_SSL" / "Network" / "LadderNetwork.py"
    module = _load(path, "lamda_ladder")
    net = module.LadderNetwork(dim_in=784, num_classes=10, noise_std=0.3, device="cpu")
    optimizer = torch.optim.Adam(net.parameters(), lr=0.002)
    weights = [0.1, 0.1, 0.1, 0.1, 0.1, 10.0, 1000.0]

    def step() -> None:
        optimizer.zero_grad()
        noisy_labelled = net.forward_encoders_noise(labelled)
        noisy = net.forward_encoders_noise(x)
        tilde_z = net.get_encoders_tilde_z(reverse=True)
        net.forward_encoders_clean(x)
        z_pre, z = net.get_encoders_z_pre(reverse=True), net.get_encoders_z(reverse=True)
        hat_z = net.forward_decoders(tilde_z, noisy, net.get_encoder_tilde_z_bottom())
        normalised = net.decoder_bn_hat_z_layers(hat_z, [*z_pre, x])
        cost = torch.nn.functional.cross_entropy(noisy_labelled, labels)
        for weight, target, estimate in zip(weights, [*z, x], normalised, strict=True):
            cost = cost + weight * torch.nn.functional.mse_loss(estimate, target)
        cost.backward()
        optimizer.step()

    return step


def vae_examples(clone: Path, x: Tensor) -> Callable[[], None]:
    """pytorch/examples, vae/main.py: its model, cost and inner loop over one batch, without its data loader."""
    source = (clone / "vae" / "main.py").read_text()
    # Only the definitions: the rest of the script parses arguments and downloads data.
    wanted = re.search(r"^class VAE.*?(?=^model = )", source, re.M | re.S)
    cost = re.search(r"^def loss_function.*?(?=^def )", source, re.M | re.S)
    assert wanted, "pytorch/examples has changed: no class VAE in vae/main.py"
    assert cost, "pytorch/examples has changed: no loss_function in vae/main.py"
    space: dict[str, Any] = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional}
    exec(wanted[0] + cost[0], space)
    model = space["VAE"]()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad()
        reconstruction, mean, log_variance = model(x)
        loss = space["loss_function"](reconstruction, x, mean, log_variance)
        loss.backward()
        loss.item()
        optimizer.step()

    return step


def vae_pythae(clone: Path, x: Tensor) -> Callable[[], None]:
    """clementchadebec/benchmark_VAE (pythae): its VAE with the layers 784-400-20-400-784, cost and Adam, no trainer."""
    model = _pythae_model(clone)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    inputs = {"data": x}

    def step() -> None:
        optimizer.zero_grad()
        output = model(inputs)
        output.loss.backward()
        optimizer.step()
        output.loss.item()

    return step


def vae_pythae_loaded(clone: Path, images: Tensor, batch: int) -> Callable[[], int]:
    """The same model in an epoch of pythae's own trainer over images [N, 784]."""
    model = _pythae_model(clone)
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    logging.getLogger("pythae").setLevel(logging.ERROR)
    config = BaseTrainerConfig(output_dir="/tmp", per_device_train_batch_size=batch, learning_rate=1e-3)
    trainer = BaseTrainer(model, BaseDataset(images, torch.zeros(len(images))), training_config=config)
    trainer.prepare_training()
    trainer.callback_handler.callbacks = []  # progress bars

    def steps() -> int:
        trainer.train_step(1)
        return len(trainer.train_loader)

    return steps


def _pythae_model(clone: Path) -> Any:
    sys.path.insert(0, str(clone / "src"))
    sys.path.append(str(clone.parent / "pythae_deps"))
    from pythae.models import VAE, VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):  # type: ignore[misc,valid-type]
        def __init__(self) -> None:
            BaseEncoder.__init__(self)
            self.hidden = torch.nn.Sequential(torch.nn.Linear(784, 400), torch.nn.ReLU())
            self.mean, self.log_variance = torch.nn.Linear(400, 20), torch.nn.Linear(400, 20)

        def forward(self, x: Tensor) -> Any:
            h = self.hidden(x.reshape(-1, 784))
            return ModelOutput(embedding=self.mean(h), log_covariance=self.log_variance(h))

    class Decoder(BaseDecoder):  # type: ignore[misc,valid-type]
        def __init__(self) -> None:
            BaseDecoder.__init__(self)
            layers = [torch.nn.Linear(20, 400), torch.nn.ReLU(), torch.nn.Linear(400, 784), torch.nn.Sigmoid()]
            self.layers = torch.nn.Sequential(*layers)

        def forward(self, z: Tensor) -> Any:
            return ModelOutput(reconstruction=self.layers(z))

    config = VAEConfig(input_dim=(784,), latent_dim=20, reconstruction_loss="bce")
    return VAE(config, Encoder(), Decoder())


def _load(path: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec, f"no module at {path}"
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
