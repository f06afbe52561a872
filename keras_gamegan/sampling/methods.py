"""The methods of a model that sample and export it."""

from keras_gamegan.sampling import sampler


class SamplingMethods:
    """Gives a `GAN` its methods `sample` and `export`.

    The model makes its `sampler.Sampler` by `make_sampler` in its constructor.
    """

    def make_sampler(self):
        """Makes what samples this model; called once, by the constructor."""
        self._sampler = sampler.Sampler(self)

    def sample(self, num_samples, seed=None, source="current", labels=None):
        """Returns generated data.

        Args:
            num_samples: Number of examples, >= 0.
            seed: Integer; the same seed gives the same data, and a smaller number of
                samples the beginning of a larger one. Default: drawn anew.
            source: "current", the live generator; "average", the moving average of its
                weights; "mixture", a member of the generator's history drawn anew for
                every example. Default: "current".
            labels: Labels (num_samples, ...) for class-conditional networks, or one
                label for all samples.

        Returns:
            NumPy array (num_samples, ...).

        Raises:
            ValueError: If the source is unknown or not kept, or labels are missing, too
                many or (where the generator embeds them) out of range.

        Example:
            >>> import keras_gamegan as kgg
            >>> gan = kgg.GAN(*kgg.networks.mlp_pair(data_dim=2), seed=0)
            >>> gan.sample(3, seed=1, source="average").shape
            (3, 2)
        """
        return self._sampler.sample(num_samples, seed, source, labels)

    def export(
        self,
        path,
        source="current",
        *,
        format="tf_saved_model",
        score=False,
        version=None,
        warmup=None,
        verbose=False,
    ):
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
