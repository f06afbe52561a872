"""A sampler as a SavedModel: its weights, its signatures, and what they refuse."""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_gamegan import version
from keras_gamegan.games import randomness, structures
from keras_gamegan.history import storage
from keras_gamegan.sampling import bounds, generation, warmup


def write(
    model: keras.Model,
    folder: pathlib.Path,
    source: str,
    score: bool = False,
    warm: bool = False,
    verbose: bool = False,
) -> None:
    """Writes a model's sampler.

    Args:
        model: A `GAN`.
        folder: `pathlib.Path` of a folder that does not exist yet.
        source: "current", "average" or "mixture", already checked.
        score: Whether the signature "score", and the discriminators, go in.
        warm: Whether to write requests that warm TF Serving up.
        verbose: Whether to print the signatures.
    """
    network = model.generator_network
    holder = _Weights(_generators(model, source))
    endpoints = _sampling_endpoints(model, network, holder)
    archive = keras.export.ExportArchive()
    archive.track(holder)
    if score:
        judges = _Weights(_discriminators(model))
        archive.track(judges)
        endpoints.append(_score_endpoint(model, judges))
    for endpoint in endpoints:
        archive.add_endpoint(endpoint.name, endpoint.function, endpoint.specs)
    archive.write_out(str(folder), verbose=verbose)
    extra = folder / "assets.extra"
    extra.mkdir()
    text = _describe(model, source, endpoints)
    (extra / "signatures.md").write_text(text, encoding="utf-8")
    if warm:
        requests = {item.name: _smallest_request(item.specs) for item in endpoints}
        warmup.write(extra / warmup.FILE, requests)


def check_finite(model: keras.Model, source: str, score: bool = False) -> None:
    """Raises if networks that are to be exported have weights that are no numbers.

    What a server sends would be NaN. State may be infinite: a running minimum that has
    seen nothing begins there.

    Args:
        model: A `GAN`.
        source: "current", "average" or "mixture", already checked.
        score: Whether the discriminators are exported, too.

    Raises:
        ValueError: If so.
    """
    networks = {"generator": (model.generator_network, _generators(model, source))}
    if score:
        judges = _discriminators(model)
        networks["discriminator"] = model.discriminator_network, judges
    for name, (network, pool) in networks.items():
        for player in pool.members:
            wrong = [not _is_finite(value) for value in player.weights]
            wrong += [_has_nan(value) for value in player.state]
            named = zip(network.variables, wrong, strict=True)
            bad = [variable.path for variable, is_bad in named if is_bad]
            if bad:
                raise ValueError(
                    f"The {name} that is exported must have finite weights. Received: "
                    f"NaN or infinite values in {bad[0]!r} (source={source!r}). "
                    "Restore an earlier checkpoint, and export that."
                )


def _is_finite(value: tf.Tensor) -> bool:
    floating = value.dtype.is_floating
    return not floating or bool(tf.reduce_all(tf.math.is_finite(value)))


def _has_nan(value: tf.Tensor) -> bool:
    return value.dtype.is_floating and bool(tf.reduce_any(tf.math.is_nan(value)))


class _Pool(NamedTuple):
    """Networks of one architecture, each with the probability that it is used.

    Attributes:
        members: List of `Player`.
        probabilities: float32 tensor (len(members),).
        slots: Number of each member's slot in a bank, for its random draws.
        stored: Dtype in which a bank keeps them, or None: their own.
    """

    members: list[structures.Player]
    probabilities: Any
    slots: tuple = (0,)
    stored: Any = None


def _generators(model: keras.Model, source: str) -> _Pool:
    """Returns the `_Pool` that a source draws from."""
    if source == "current":
        return _Pool([model.generator_network.player()], tf.ones([1]))
    if source == "average":
        return _Pool([model.generator_average.player()], tf.ones([1]))
    return _bank_members(model.generator_bank)


def _discriminators(model: keras.Model) -> _Pool:
    """Returns the `_Pool` that score: the bank's, or the live one without a bank."""
    if model.discriminator_bank is None:
        return _Pool([model.discriminator_network.player()], tf.ones([1]))
    return _bank_members(model.discriminator_bank)


def _bank_members(bank: Any) -> _Pool:
    probabilities = bank.probabilities().numpy()
    # Filled slots keep their order: a seed draws the same member as `GAN.sample`. One
    # that is never drawn stays behind.
    drawn = [slot for slot in range(bank.capacity) if probabilities[slot] > 0]
    members = [bank.member(slot) for slot in drawn]
    return _Pool(
        members, tf.constant(probabilities[drawn]), tuple(drawn), bank.settings.dtype
    )


class _Weights(tf.Module):
    """The exported weights, each member's in the dtype in which it was kept."""

    def __init__(self, pool: _Pool) -> None:
        super().__init__()
        first = tf.nest.flatten(pool.members[0])
        self._dtypes = [value.dtype.name for value in first]
        stored = [storage.storage_dtype(name, pool.stored) for name in self._dtypes]
        self._members = [
            [
                tf.Variable(storage.stored(value, dtype), trainable=False)
                for value, dtype in zip(tf.nest.flatten(player), stored, strict=True)
            ]
            for player in pool.members
        ]
        self._number = len(pool.members[0].weights)
        self.slots = pool.slots
        self.probabilities = tf.Variable(pool.probabilities, trainable=False)

    def members(self) -> list[structures.Player]:
        """Returns the members as a list of `Player`, in the dtype of the network."""
        every = [
            [
                tf.cast(value, dtype)
                for value, dtype in zip(values, self._dtypes, strict=True)
            ]
            for values in self._members
        ]
        return [
            structures.Player(values[: self._number], values[self._number :])
            for values in every
        ]


class _Endpoint(NamedTuple):
    """A signature: its name, its function, its inputs, and how these are bounded."""

    name: str
    function: Any
    specs: list
    bounds: dict
    output: str


def _sampling_endpoints(
    model: keras.Model, network: Any, holder: _Weights
) -> list[_Endpoint]:
    dtype, latent_shape = network.dtype, model.latent_shape
    classes = network.num_classes
    coefficients = hash_coefficients(latent_shape)

    draws = network.draws()

    def generate(
        points: tf.Tensor,
        choice: tf.Tensor,
        labels: tf.Tensor | None,
        stream: tf.Tensor,
    ) -> tf.Tensor:
        members = holder.members()
        if len(members) == 1:
            return generation.generate(network, members[0], points, labels, stream)
        return generation.generate_from_members(
            network, members, choice, points, labels, stream, holder.slots
        )

    def serve(
        points: tf.Tensor, labels: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        number = tf.shape(points)[0]
        checks = bounds.check_labels(labels, number, "latent", classes)
        points, labels = bounds.after(checks, points), bounds.after(checks, labels)
        choice = choose_by_latent(points, holder.probabilities, coefficients)
        # A client that sends latents says nothing of noise: they choose that too.
        number = tf.reduce_sum(_hashed(points, coefficients)) if draws else 0
        stream = generation.noise(number)
        return {"samples": generate(points, choice, labels, stream)}

    def sample(
        num_samples: tf.Tensor, seed: tf.Tensor, labels: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        checks = bounds.check_number(num_samples) + bounds.check_seed(seed)
        checks += bounds.check_labels(labels, num_samples, "sample", classes)
        number, labels = bounds.after(checks, num_samples), bounds.after(checks, labels)
        points = generation.latents(seed, number, latent_shape, dtype)
        choice = generation.choose_members(seed, number, holder.probabilities)
        if not draws:
            stream = generation.noise(seed)
            return {"samples": generate(points, choice, labels, stream)}
        parts = []
        # In the chunks of `GAN.sample`, so that random layers draw the same.
        for chunk in range(bounds.MAX_SAMPLES // generation.CHUNK):
            part = slice(chunk * generation.CHUNK, (chunk + 1) * generation.CHUNK)
            given = None if labels is None else labels[part]
            stream = generation.noise(seed, chunk)
            parts.append(generate(points[part], choice[part], given, stream))
        return {"samples": tf.concat(parts, axis=0)}

    points = tf.TensorSpec([None, *latent_shape], dtype, name="latents")
    number = tf.TensorSpec([], tf.int32, name="num_samples")
    seed = tf.TensorSpec([], tf.int64, name="seed")
    labels, told = _label_specs(model, network, classes)
    limits = {"num_samples": f"from 0 to {bounds.MAX_SAMPLES}", "seed": "at least 0"}
    return [
        _Endpoint("serving_default", serve, [points, *labels], told, "samples"),
        _Endpoint("sample", sample, [number, seed, *labels], limits | told, "samples"),
    ]


def _score_endpoint(model: keras.Model, judges: _Weights) -> _Endpoint:
    network = model.discriminator_network
    classes = network.num_classes

    def score(data: tf.Tensor, labels: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        checks = bounds.check_labels(labels, tf.shape(data)[0], "example", classes)
        data, labels = bounds.after(checks, data), bounds.after(checks, labels)
        inputs = data if labels is None else [data, labels]
        stream = generation.noise(0)
        logits = [
            network.apply(player, inputs, False, stream)[0]
            for player in judges.members()
        ]
        probabilities = None if len(logits) == 1 else judges.probabilities
        return {"logits": structures.weighted_mean(logits, probabilities)}

    data = model.discriminator_network.main_input
    labels, told = _label_specs(model, network, classes)
    specs = [tf.TensorSpec(data.shape, data.dtype, name="data"), *labels]
    return _Endpoint("score", score, specs, told, "logits")


def _label_specs(
    model: keras.Model, network: Any, classes: int | None
) -> tuple[list[tf.TensorSpec], dict[str, str]]:
    """Returns the specification of the labels, if any, and how they are bounded."""
    if not model.conditional:
        return [], {}
    labels = network.label_input
    bound = "range not checked" if classes is None else f"from 0 to {classes - 1}"
    spec = tf.TensorSpec(labels.shape, labels.dtype, name="labels")
    return [spec], {"labels": f"one for each example, {bound}"}


# The largest prime below 2^31: products of two residues fit into an int64.
_PRIME = 2**31 - 1


def hash_coefficients(latent_shape: Sequence[int]) -> np.ndarray:
    """Returns the fixed coefficients of `choose_by_latent`: int64 array (size,)."""
    stream = randomness.fold(randomness.root(0), randomness.Purpose.MIXTURE)
    size = [tf.TensorShape(latent_shape).num_elements()]
    return 1 + randomness.integers(stream, size, _PRIME - 1).numpy()


def choose_by_latent(
    points: tf.Tensor, probabilities: tf.Tensor, coefficients: np.ndarray
) -> tf.Tensor:
    """Returns the member that each latent belongs to: a function of the latent alone.

    A client that sends latents says nothing of members, so the latent itself must
    choose. Mathematics: with x_i the bits of its float32 entries as integers, h =
    sum_i a_i x_i mod p for fixed random a_i, a universal hash; h / p plays the uniform
    number. In integers, so that neither the batch nor the device matters.

    Args:
        points: Latents (n, ...).
        probabilities: Tensor (members,).
        coefficients: The a_i, from `hash_coefficients`.

    Returns:
        int64 tensor (n,).
    """
    # 24 of the 31 bits: a float32 holds them exactly, and never rounds up to 1.
    hashed = _hashed(points, coefficients)
    number = tf.cast(hashed // 2**7, tf.float32) * 2.0**-24
    return randomness.categorical(number, probabilities)


def _hashed(points: tf.Tensor, coefficients: np.ndarray) -> tf.Tensor:
    """Returns a number from 0 to 2^31 - 2 for each latent: int64 (n,)."""
    flat = tf.reshape(tf.cast(points, tf.float32), [-1, len(coefficients)])
    bits = tf.cast(tf.bitcast(flat, tf.int32), tf.int64)
    terms = tf.math.floormod(bits * coefficients, _PRIME)
    return tf.math.floormod(tf.reduce_sum(terms, axis=1), _PRIME)


def _smallest_request(specs: Sequence[tf.TensorSpec]) -> dict[str, np.ndarray]:
    """Returns the inputs of a request for one example, by name."""
    request = {}
    for spec in specs:
        shape = [1 if size is None else size for size in spec.shape]
        fill = tf.ones if spec.name == "num_samples" else tf.zeros
        request[spec.name] = fill(shape, spec.dtype).numpy()
    return request


def _describe(model: keras.Model, source: str, endpoints: Sequence[_Endpoint]) -> str:
    """Returns the text that travels with the export: what a client may send."""
    lines = [
        f"# Sampler of a {type(model).__name__}, source {source!r}",
        "",
        f"keras_gamegan {version.__version__}, after {model.num_steps} train steps.",
        "A request beyond a bound is refused: INVALID_ARGUMENT.",
    ]
    for endpoint in endpoints:
        lines += ["", f"## {endpoint.name} -> {endpoint.output}", ""]
        for spec in endpoint.specs:
            shape = ["n" if size is None else str(size) for size in spec.shape]
            text = f"- `{spec.name}`: {spec.dtype.name} ({', '.join(shape)})"
            bound = endpoint.bounds.get(spec.name)
            lines.append(f"{text}, {bound}" if bound else text)
    return "\n".join(lines) + "\n"
