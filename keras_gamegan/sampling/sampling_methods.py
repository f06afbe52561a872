"""The methods of a model that sample and export it."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_gamegan.sampling import sampler
from keras_gamegan.typing import PathLike, TensorLike


class SamplingMethods:
    """Gives a `GAN` its methods `sample`, `interpolate`, `show` and `export`.

    The model makes its `sampler.Sampler` by `make_sampler` in its constructor.
    """

    def make_sampler(self) -> None:
        """Makes what samples this model; called once, by the constructor."""
        self._sampler = sampler.Sampler(self)

    def sample(
        self,
        num_samples: int | None = None,
        seed: int | None = None,
        source: str = "current",
        labels: TensorLike | None = None,
        latents: TensorLike | None = None,
    ) -> np.ndarray:
        """Returns generated data.

        Args:
            num_samples: Number of examples, >= 0. Default: that of the latents or the
                labels.
            seed: Integer; the same seed gives the same data, and a smaller number of
                samples the beginning of a larger one. Of given latents it draws members
                of a mixture, and what random layers draw. Default: drawn anew.
            source: "current", the live generator; "average", the moving average of its
                weights; "mixture", a member of the generator's history drawn anew for
                every example. Default: "current".
            labels: Labels (num_samples, ...) for class-conditional networks, or one
                label for all samples.
            latents: Latents (num_samples, latent_dim) of your own. Default: drawn by
                the seed, standard normal.

        Returns:
            NumPy array (num_samples, ...).

        Raises:
            TypeError: If labels or latents are no numbers, or the number no integer.
            ValueError: If the source is unknown or not kept, the number of samples is
                not known, latents are misshapen or not finite, or labels are missing,
                too many, of another kind or (where the generator knows its classes) out
                of range.

        Example:
            >>> import numpy as np, keras_gamegan as kgg
            >>> pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=4)
            >>> gan = kgg.GAN(*pair, seed=0)
            >>> gan.sample(3, seed=1, source="average").shape
            (3, 2)
            >>> gan.sample(latents=np.zeros((5, 4))).shape
            (5, 2)
        """
        return self._sampler.sample(num_samples, seed, source, labels, latents)

    def interpolate(
        self,
        num_steps: int,
        seed: Sequence[int] | None = None,
        source: str = "current",
        labels: TensorLike | None = None,
    ) -> np.ndarray:
        """Returns data on a path through latent space, from one sample to another.

        The latents lie on the great circle (slerp) between those of two seeds, a and b:

            z(t) = (sin((1 - t) theta) a + sin(t theta) b) / sin(theta),

        theta being the angle between them and t evenly spaced on [0, 1].

        Args:
            num_steps: Number of examples, >= 2, the two ends included.
            seed: Pair of integers: the path leads from `sample(1, seed=seed[0])` to
                `sample(1, seed=seed[1])`; more seeds are further stations. The first
                one also draws the one member of a mixture that the whole path shows,
                and what random layers draw. Default: a pair drawn anew.
            source: As in `sample`. Default: "current".
            labels: As in `sample`: one for each example, or one for all.

        Returns:
            NumPy array (num_steps, ...).

        Raises:
            TypeError: As `sample`.
            ValueError: As `sample`; if `seed` is not at least two seeds.

        Example:
            >>> import keras_gamegan as kgg
            >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2), seed=0)
            >>> gan.interpolate(9, seed=(3, 4)).shape
            (9, 2)

        References:
            Shoemake: "Animating Rotation with Quaternion Curves", 1985.
            White: "Sampling Generative Networks", 2016.
        """
        return self._sampler.interpolate(num_steps, seed, source, labels)

    def show(
        self,
        num_samples: int = 16,
        seed: int | None = None,
        source: str = "current",
        labels: TensorLike | None = None,
    ) -> Any:
        """Shows samples: inline in a notebook, as a matplotlib figure elsewhere.

        Images stand in a square grid, from black to white over the range of the
        generator's last activation (tanh: -1 to 1, sigmoid: 0 to 1), or of the samples
        where it has none; series are drawn as lines, points scattered.

        Args:
            num_samples: Number of examples, >= 1. Default: 16.
            seed: As in `sample`. Default: drawn anew.
            source: As in `sample`. Default: "current".
            labels: As in `sample`. Default: each class in turn, where the networks know
                how many there are.

        Returns:
            None in a notebook; elsewhere a `matplotlib.figure.Figure`, which
            `matplotlib.pyplot.show()` shows and `savefig` writes.

        Raises:
            ImportError: If matplotlib is needed and missing.
            TypeError: As `sample`.
            ValueError: As `sample`; if samples have more axes than can be drawn.

        Example:
            >>> import matplotlib, keras_gamegan as kgg
            >>> matplotlib.use("agg")
            >>> gan = kgg.GAN(*kgg.networks.dcgan_pair(base_filters=4), seed=0)
            >>> type(gan.show(4, seed=1)).__name__
            'Figure'
        """
        return self._sampler.show(num_samples, seed, source, labels)

    def make_generator(
        self, source: str = "current", member: int | None = None
    ) -> keras.Model:
        """Returns a generator as a plain Keras model with weights of its own.

        It is a copy: training goes on without it. Saved by its `save`, it loads without
        this library, as long as its layers are those of Keras or registered classes. It
        takes latents, or [latents, labels], as the generator does, and what its random
        layers draw follows Keras' seeds. A mixture is no single Keras model: one member
        is, and `export` writes the whole.

        Args:
            source: "current", "average", or "mixture" with a `member`.
                Default: "current".
            member: Place in the generator's history: 0 is the oldest, -1 the live one.

        Returns:
            A `keras.Model`.

        Raises:
            TypeError: If `member` is not an integer.
            ValueError: If the source is unknown or not kept, the member missing or out
                of range, or a layer cannot be made again from its configuration.

        Example:
            >>> import numpy as np, keras_gamegan as kgg
            >>> pair = kgg.networks.mlp_pair(data_dim=2, latent_dim=4)
            >>> gan = kgg.GAN(*pair, seed=0)
            >>> generator = gan.make_generator(source="average")
            >>> generator.predict(np.zeros((3, 4)), verbose=0).shape
            (3, 2)
        """
        return self._sampler.make_generator(source, member)

    def export(
        self,
        path: PathLike,
        source: str = "current",
        *,
        format: str = "tf_saved_model",
        score: bool = False,
        version: int | str | None = None,
        warmup: bool | None = None,
        verbose: bool = False,
    ) -> None:
        """Writes a slim sampler that needs neither this library nor Keras.

        The SavedModel holds the weights of the source, and no discriminator, optimizer
        or empty slot. On a local disk it is written whole or not at all; on object
        stores (`gs://`) the file that makes it a SavedModel is written last. Its
        signatures:

        - "serving_default": latents [, labels] -> samples. Of a mixture each latent
          belongs to one member, which a hash of the latent chooses.
        - "sample": num_samples, seed [, labels] -> samples, those of `sample` with the
          same seed up to rounding. num_samples is at most 4096.
        - "score", on request: data [, labels] -> logits, the mean over the bank of
          discriminators with its probabilities, or the live discriminator's.

        A request out of bounds (num_samples, a negative seed, labels of a wrong number
        or range) is refused as INVALID_ARGUMENT. It is not clipped: a client would go
        on with data it did not ask for. `docs/serving.md` says more.

        Args:
            path: Folder to write, or file for ONNX; must not exist. Local, or of any
                file system that `tf.io.gfile` knows.
            source: As in `sample`. Default: "current".
            format: "tf_saved_model"; or "onnx", one generator as a function of latents
                [and labels], which needs the packages tf2onnx and onnx.
            score: Whether to add "score", and with it the discriminators.
            version: None; or an integer >= 1: writes the folder `path/version`, as TF
                Serving wants it, beside the versions that are there; or "next": one
                above the largest that is there, 1 in a new folder.
            warmup: Whether to write requests with which TF Serving warms up: needs
                tensorflow-serving-api. Default: None, where that is installed.
            verbose: Whether Keras prints the signatures.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If the path or version is taken or cannot be written to, the
                source is not kept, the format is unknown or does not go with the other
                arguments, or a package is missing.

        Example:
            >>> import tempfile, tensorflow as tf, keras_gamegan as kgg
            >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2), seed=0)
            >>> folder = tempfile.mkdtemp()
            >>> gan.export(folder, source="average", version=1)
            >>> sampler = tf.saved_model.load(folder + "/1").signatures["sample"]
            >>> seed = tf.constant(1, tf.int64)
            >>> sampler(num_samples=tf.constant(3), seed=seed)["samples"].shape
            TensorShape([3, 2])
        """
        self._sampler.export(
            path,
            source,
            format=format,
            score=score,
            version=version,
            warmup=warmup,
            verbose=verbose,
        )
