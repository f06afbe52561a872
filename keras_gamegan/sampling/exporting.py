"""Writes a sampler as a SavedModel that needs neither this library nor Keras."""

import os
import pathlib
import shutil
import tempfile

import keras
import tensorflow as tf

from keras_gamegan import validation
from keras_gamegan.games import history, structures
from keras_gamegan.sampling import generation

MAX_SAMPLES = 4096


def export(model, path, source, format="tf_saved_model", verbose=False):
    """Writes the generators of one source as a SavedModel, atomically.

    Args:
        model: A `GAN`.
        path: Folder that must not exist yet.
        source: "current", "average" or "mixture", already checked.
        format: "tf_saved_model", the only one.
        verbose: Whether to print the signatures.

    Raises:
        ValueError: If the folder exists or the format is unknown.
    """
    validation.check_choice("format", format, ("tf_saved_model",))
    path = pathlib.Path(path)
    if path.exists():
        raise ValueError(
            "`path` must be a folder that does not exist yet, so that nothing is "
            f"overwritten. Received: path={str(path)!r}. Choose another, or remove it."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside its place and renamed: a reader never sees half a model.
    beside = pathlib.Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        _archive(model, source).write_out(str(beside / "model"), verbose=verbose)
        os.replace(beside / "model", path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _archive(model, source):
    network = model.generator_network
    members, probabilities = _frozen_members(model, source)
    archive = keras.export.ExportArchive()
    holder = _Weights(members, probabilities)
    archive.track(holder)
    dtype = network.dtype
    latent_shape = model.latent_shape

    def generate(points, choice, labels):
        if len(members) == 1:
            return generation.generate(network, holder.player(0), points, labels)
        players = [holder.player(index) for index in range(len(members))]
        return generation.generate_from_members(
            network, players, choice, points, labels
        )

    def serve(points, labels=None):
        # A latent does not say which generator made it: its own numbers choose.
        choice = _choice_from_latents(points, holder.probabilities)
        return {"samples": generate(points, choice, labels)}

    def sample(num_samples, seed, labels=None):
        number = tf.clip_by_value(num_samples, 0, MAX_SAMPLES)
        points = generation.latents(seed, number, latent_shape, dtype)
        choice = generation.choose_members(seed, number, holder.probabilities)
        return {"samples": generate(points, choice, labels)}

    points_spec = tf.TensorSpec([None, *latent_shape], dtype, name="latents")
    number_spec = tf.TensorSpec([], tf.int32, name="num_samples")
    seed_spec = tf.TensorSpec([], tf.int64, name="seed")
    label_specs = []
    if model.conditional:
        labels = model.generator.inputs[1]
        label_specs = [tf.TensorSpec(labels.shape, labels.dtype, name="labels")]
    archive.add_endpoint("serving_default", serve, [points_spec, *label_specs])
    archive.add_endpoint("sample", sample, [number_spec, seed_spec, *label_specs])
    return archive


class _Weights(tf.Module):
    """The exported weights: constants of the members that can be drawn, and no more."""

    def __init__(self, members, probabilities):
        super().__init__()
        self.members = [
            [tf.Variable(value, trainable=False) for value in tf.nest.flatten(player)]
            for player in members
        ]
        self.probabilities = tf.Variable(probabilities, trainable=False)
        self._structure = members[0]

    def player(self, index):
        """Returns a member as a `Player`."""
        number = len(self._structure.weights)
        values = [tf.convert_to_tensor(value) for value in self.members[index]]
        return structures.Player(values[:number], values[number:])


def _frozen_members(model, source):
    """Returns the members of a source as NumPy players, and their probabilities."""
    if source == "current":
        members, share = [model.generator_network.player()], [1.0]
    elif source == "average":
        members, share = [model.generator_average.player()], [1.0]
    else:
        bank = model.generator_bank
        every = history.probabilities(bank.slots(), bank.current_weight).numpy()
        # All slots up to the last filled one keep their places, so that a seed draws
        # the same member as in training's own `sample`.
        filled = [slot for slot in range(bank.capacity) if every[slot] > 0]
        members = [bank.member(slot) for slot in filled]
        share = [every[slot] for slot in filled]
    return members, tf.constant(share, tf.float32)


def _choice_from_latents(points, probabilities):
    """Returns a member for each latent, a function of the latent alone."""
    flat = tf.reshape(tf.cast(points, tf.float32), [tf.shape(points)[0], -1])
    # The fractional part of a large multiple of a normal number is close to uniform.
    number = tf.math.floormod(tf.reduce_sum(flat, axis=1) * 997.0, 1.0)
    edges = tf.cumsum(probabilities)
    index = tf.reduce_sum(
        tf.cast(edges <= (number * edges[-1])[:, tf.newaxis], tf.int64), axis=1
    )
    return tf.minimum(index, tf.cast(tf.size(probabilities), tf.int64) - 1)
