"""The three trainers in PyTorch, for a comparison; run by `torch_comparison.py`.

Runs under any interpreter that has torch and NumPy and knows nothing of TensorFlow.
Reads one JSON command a line, answers one JSON line: so both libraries can be timed in
turn. Written as PyTorch code is: `functional_call` for worst cases and stored models
without copies, Adam in its fused form, channels_last for convolutions, and with
"compile" every loss and every forward pass under `torch.compile`.
"""

import copy
import json
import math
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.func import functional_call

ADAM = {"lr": 2e-4, "betas": (0.5, 0.999), "eps": 1e-7, "fused": True}
AVERAGE_DECAY = 0.999


def _linear(arrays):
    kernel = torch.tensor(arrays[0])
    layer = nn.Linear(*kernel.shape, bias=len(arrays) > 1)
    layer.weight.data = kernel.T.contiguous()
    if len(arrays) > 1:
        layer.bias.data = torch.tensor(arrays[1])
    return layer


def _convolution(arrays, transposed):
    # Keras: (height, width, in, out), or (height, width, out, in) where transposed;
    # both go to PyTorch's order by the same permutation.
    kernel = torch.tensor(arrays[0]).permute(3, 2, 0, 1).contiguous()
    ins, outs = kernel.shape[:2] if transposed else kernel.shape[1::-1]
    make = nn.ConvTranspose2d if transposed else nn.Conv2d
    layer = make(ins, outs, 4, 2, 1, bias=len(arrays) > 1)
    layer.weight.data = kernel
    if len(arrays) > 1:
        layer.bias.data = torch.tensor(arrays[1])
    return layer


def _normalization(arrays):
    layer = nn.BatchNorm2d(len(arrays[0]), eps=1e-3, momentum=0.1)
    tensors = layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var
    for tensor, array in zip(tensors, arrays, strict=True):
        tensor.copy_(torch.tensor(array))
    return layer


def _side(size, channels):
    return math.isqrt(size // channels)


def discriminator(layers):
    """Builds a discriminator from the arrays of each Keras layer that has weights."""
    modules = []
    for arrays in layers[:-1]:
        if arrays[0].ndim == 4:
            modules += [_convolution(arrays, False), nn.LeakyReLU(0.2)]
        else:
            modules += [_linear(arrays), nn.ReLU()]
    last = list(layers[-1])
    if layers[0][0].ndim == 4:
        channels = layers[-2][0].shape[-1]
        side = _side(last[0].shape[0], channels)
        # Keras flattens (height, width, channels).
        order = np.arange(last[0].shape[0]).reshape(side, side, channels)
        last[0] = last[0][order.transpose(2, 0, 1).reshape(-1)]
        modules.append(nn.Flatten())
    return nn.Sequential(*modules, _linear(last))


def generator(layers):
    """Builds a generator from the arrays of each Keras layer that has weights."""
    if all(arrays[0].ndim == 2 for arrays in layers):
        modules = []
        for arrays in layers[:-1]:
            modules += [_linear(arrays), nn.ReLU()]
        return nn.Sequential(*modules, _linear(layers[-1]))
    kernel = layers[0][0]
    channels = len(layers[1][0])
    side = _side(kernel.shape[1], channels)
    order = np.arange(kernel.shape[1]).reshape(side, side, channels)
    first = _linear([kernel[:, order.transpose(2, 0, 1).reshape(-1)]])
    modules = [first, nn.Unflatten(1, (channels, side, side))]
    for arrays in layers[1:-1]:
        if arrays[0].ndim == 1:
            modules += [_normalization(arrays), nn.ReLU()]
        else:
            modules.append(_convolution(arrays, True))
    return nn.Sequential(*modules, _convolution(layers[-1], True), nn.Tanh())


def _parameters(module):
    return {name: p.detach().clone() for name, p in module.named_parameters()}


def _buffers(module):
    return {name: b.detach().clone() for name, b in module.named_buffers()}


def _frozen(parameters):
    return {name: p.detach() for name, p in parameters.items()}


def _copy(into, source):
    torch._foreach_copy_(list(into.values()), list(source.values()))


class Trainer:
    """A GAN with alternating updates; the others derive from it.

    Args:
        networks: Pair (discriminator, generator) of modules.
        data: Tensor (n, batch, ...) of real batches.
        compiled: Whether to use `torch.compile`.
        latents: Tensor (steps, 2, batch, dim) to use instead of new ones, or None.
    """

    def __init__(self, networks, data, compiled, latents=None):
        self.d, g = networks
        self.g_train, self.g_eval = copy.deepcopy(g).train(), copy.deepcopy(g).eval()
        self.dp = {k: v.requires_grad_() for k, v in _parameters(self.d).items()}
        self.gp = {k: v.requires_grad_() for k, v in _parameters(g).items()}
        self.gb = _buffers(g)
        self.average = {**_parameters(g), **_buffers(g)}
        self.d_adam = torch.optim.Adam(list(self.dp.values()), **ADAM)
        self.g_adam = torch.optim.Adam(list(self.gp.values()), **ADAM)
        self.data, self.latents, self.position = data, latents, 0
        self.dim = g[0].in_features
        self.sums = torch.zeros(2)
        maybe = torch.compile if compiled else (lambda function: function)
        self.fakes = maybe(self._fakes)
        self.d_loss, self.g_loss = maybe(self._d_loss), maybe(self._g_loss)
        self.value = maybe(self._value)

    def draw(self, index):
        """Returns the latents of a draw of this step."""
        if self.latents is not None:
            return self.latents[self.position, index]
        return torch.randn(self.data.shape[1], self.dim)

    def _fakes(self, gp, gb, z):
        with torch.no_grad():
            return functional_call(self.g_eval, {**gp, **gb}, (z,))

    def _d_loss(self, dp, real, fakes):
        logits = functional_call(self.d, dp, (torch.cat([real, fakes]),))[:, 0]
        real_logits, fake_logits = logits.split(len(real))
        softplus = nn.functional.softplus
        return 0.5 * (softplus(-real_logits).mean() + softplus(fake_logits).mean())

    def _g_loss(self, gp, gb, dp, z):
        made = functional_call(self.g_train, {**gp, **gb}, (z,))
        return (
            0.5
            * nn.functional.softplus(-functional_call(self.d, dp, (made,))[:, 0]).mean()
        )

    def _value(self, gp, gb, dp, real, z):
        with torch.no_grad():
            fakes = functional_call(self.g_eval, {**gp, **gb}, (z,))
            return -self._d_loss(dp, real, fakes)

    def descend(self, loss, parameters, optimizer):
        """Takes one step of an optimizer on a loss."""
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        for parameter, gradient in zip(parameters.values(), gradients, strict=True):
            parameter.grad = gradient
        optimizer.step()

    def opponents(self):
        """Returns (generator's parameters, its buffers, discriminator's or None)."""
        return _frozen(self.gp), self.gb, None

    def step(self):
        """Takes one train step."""
        real = self.data[self.position % len(self.data)]
        gp, gb, dp = self.opponents()
        d_loss = self.d_loss(self.dp, real, self.fakes(gp, gb, self.draw(0)))
        self.descend(d_loss, self.dp, self.d_adam)
        dp = _frozen(self.dp) if dp is None else dp
        g_loss = self.g_loss(self.gp, self.gb, dp, self.draw(1))
        self.descend(g_loss, self.gp, self.g_adam)
        self.finish(d_loss, g_loss)

    def finish(self, d_loss, g_loss):
        """Updates the moving average of the generator and the logs."""
        self.position += 1
        with torch.no_grad():
            live = {**self.gp, **self.gb}
            pairs = [
                (mean, live[name])
                for name, mean in self.average.items()
                if mean.is_floating_point()
            ]
            decay = min(AVERAGE_DECAY, self.position / (9.0 + self.position))
            torch._foreach_lerp_(*map(list, zip(*pairs, strict=True)), 1 - decay)
            self.sums += torch.stack([d_loss.detach(), g_loss.detach()])


class Fictitious(Trainer):
    """Each player answers one stored opponent, drawn anew at every step."""

    capacity = 5

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)

        def stack(tensors):
            return {
                name: t.detach()[None].repeat(self.capacity, *[1] * t.dim())
                for name, t in tensors.items()
            }

        self.banks = stack(self.gp), stack(self.gb), stack(self.dp)
        self.head = self.capacity - 1

    def opponents(self):
        """Draws a generator and a discriminator; the live ones count half."""
        found = []
        live = _frozen(self.gp), self.gb, None
        for groups in ((0, 1), (2,)):
            # The live one with probability 1/2, the others alike.
            others = [i for i in range(self.capacity) if i != self.head]
            slot = others[int(torch.randint(len(others), ()))]
            played = torch.rand(()) < 0.5
            for group in groups:
                member = {n: stack[slot] for n, stack in self.banks[group].items()}
                found.append(live[group] if played else member)
        return found

    def finish(self, d_loss, g_loss):
        """Writes the live players into the next slot, as well."""
        super().finish(d_loss, g_loss)
        self.head = (self.head + 1) % self.capacity
        with torch.no_grad():
            for bank, live in zip(self.banks, (self.gp, self.gb, self.dp), strict=True):
                slots = {name: stack[self.head] for name, stack in bank.items()}
                if slots:
                    _copy(slots, live)


class DualityGap(Trainer):
    """Each player answers the other's worst opponent, found by k steps of Adam."""

    num_steps = 5
    learning_rate = 1e-4

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.worst_dp = {k: v.requires_grad_() for k, v in _parameters(self.d).items()}
        clones = _parameters(self.g_train)
        self.worst_gp = {k: v.requires_grad_() for k, v in clones.items()}
        self.worst_gb = _buffers(self.g_train)
        self.inner = torch.optim.Adam(
            [*self.worst_dp.values(), *self.worst_gp.values()],
            lr=self.learning_rate,
            eps=1e-7,
            fused=True,
        )

    def _restart(self):
        with torch.no_grad():
            _copy(self.worst_dp, self.dp)
            _copy(self.worst_gp, self.gp)
            if self.gb:
                _copy(self.worst_gb, self.gb)
            for state in self.inner.state.values():
                for tensor in state.values():
                    tensor.zero_()

    def step(self):
        """Takes one train step."""
        real = self.data[self.position % len(self.data)]
        z = self.draw(0)
        self._restart()
        dp, gp = _frozen(self.dp), _frozen(self.gp)
        fakes = self.fakes(gp, self.gb, z)
        both = {f"d{n}": p for n, p in self.worst_dp.items()}
        both |= {f"g{n}": p for n, p in self.worst_gp.items()}
        for _ in range(self.num_steps):
            loss = self.d_loss(self.worst_dp, real, fakes)
            loss = loss + self.g_loss(self.worst_gp, self.worst_gb, dp, z)
            self.descend(loss, both, self.inner)
        worst_dp, worst_gp = _frozen(self.worst_dp), _frozen(self.worst_gp)
        # The log of the gap, both values from the players before the step.
        self.gap = self.value(gp, self.gb, worst_dp, real, z)
        self.gap = self.gap - self.value(worst_gp, self.worst_gb, dp, real, z)
        g_loss = self.g_loss(self.gp, self.gb, worst_dp, z)
        answered = self.fakes(worst_gp, self.worst_gb, z)
        d_loss = self.d_loss(self.dp, real, answered)
        self.descend(g_loss, self.gp, self.g_adam)
        self.descend(d_loss, self.dp, self.d_adam)
        self.finish(d_loss, g_loss)


TRAINERS = {"gan": Trainer, "fictitious": Fictitious, "gap": DualityGap}


class Session:
    """Answers the commands of `torch_comparison.py`."""

    def __init__(self):
        self._trainers = {}

    def build(self, path, trainer, compiled, fixed):
        """Builds a trainer from the weights, data and latents of an .npz file."""
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        networks = []
        for prefix, make in (("d", discriminator), ("g", generator)):
            layers = []
            while f"{prefix}{len(layers)}_0" in arrays:
                found, index = [], len(layers)
                while f"{prefix}{index}_{len(found)}" in arrays:
                    found.append(arrays[f"{prefix}{index}_{len(found)}"])
                layers.append(found)
            networks.append(make(layers))
        data = torch.tensor(arrays["data"])
        if data.dim() == 5:
            # (n, batch, height, width, channels), whose memory stays as it is.
            networks = [n.to(memory_format=torch.channels_last) for n in networks]
            data = data.permute(0, 1, 4, 2, 3)
        latents = torch.tensor(arrays["latents"]) if fixed else None
        made = TRAINERS[trainer](networks, data, compiled, latents)
        name = f"{trainer} {compiled} {fixed} {len(self._trainers)}"
        self._trainers[name] = made
        count = sum(p.numel() for p in [*made.dp.values(), *made.gp.values()])
        return {"name": name, "parameters": count}

    def time(self, name, steps):
        """Takes steps; returns the seconds, and the processors' seconds, of each."""
        trainer = self._trainers[name]
        began, worked = time.perf_counter(), time.process_time()
        for _ in range(steps):
            trainer.step()
        return {
            "seconds": (time.perf_counter() - began) / steps,
            "processor": (time.process_time() - worked) / steps,
        }

    def losses(self, name, steps):
        """Takes steps and returns the mean losses of both players."""
        trainer = self._trainers[name]
        for _ in range(steps):
            trainer.step()
        return {"losses": (trainer.sums / steps).tolist()}


def main():
    """Answers commands until the input ends."""
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    torch._dynamo.config.cache_size_limit = 64
    session = Session()
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for text in sys.stdin:
        command = json.loads(text)
        answer = getattr(session, command.pop("do"))(**command)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
