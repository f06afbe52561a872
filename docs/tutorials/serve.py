# %% [markdown]
# # Serve it
# `export` writes a SavedModel that needs neither this library nor Keras: for TF Serving,
# BentoML (`kgg serve RUN`) or plain TensorFlow.

# %%
import pathlib
import tempfile

import numpy as np
import tensorflow as tf

import keras_gamegan as kgg

gan = kgg.FictitiousGAN(
    *kgg.networks.mlp_pair(2, 4, width=16, seed=0), history=kgg.History(3, 5), seed=0
)
gan.compile()
gan.fit(np.random.default_rng(0).normal(size=(256, 2)).astype("float32"), verbose=0)
folder = pathlib.Path(tempfile.mkdtemp()) / "sampler"
gan.export(folder, source="mixture", version=1)
sorted(path.name for path in (folder / "1").iterdir())

# %% [markdown]
# The mixture of generators, which is what fictitious play converges to, is sampled by the
# server as by the model:

# %%
sampler = tf.saved_model.load(str(folder / "1"))
served = sampler.sample(num_samples=3, seed=5)["samples"].numpy()
np.testing.assert_allclose(served, gan.sample(3, seed=5, source="mixture"), atol=1e-6)
served

# %% [markdown]
# One generator as a plain Keras model, for anything that takes one:

# %%
generator = gan.make_generator(source="average")
generator(np.zeros((1, 4), "float32")).shape
