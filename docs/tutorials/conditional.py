# %% [markdown]
# # Conditional
# Networks with a second input, the class, make a conditional GAN; data are then pairs
# (data, labels).

# %%
import numpy as np

import keras_gamegan as kgg

rng = np.random.default_rng(0)
labels = rng.integers(0, 3, 1024)
angles = labels * 2 * np.pi / 3 + rng.normal(scale=0.15, size=1024)
points = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype("float32")

discriminator, generator = kgg.networks.mlp_pair(2, 8, width=64, num_classes=3, seed=0)
gan = kgg.GAN(discriminator, generator, seed=0)
gan.compile(penalty=kgg.penalties.R1(0.05), steps_per_execution=20)
gan.fit(points, labels, batch_size=128, epochs=120, verbose=0)

# %% [markdown]
# One label for all samples, or one each:

# %%
for label in range(3):
    made = gan.sample(200, seed=0, labels=label)
    x, y = made.mean(axis=0)
    print(f"class {label}: mean ({x:+.2f}, {y:+.2f})")

# %% [markdown]
# A label that the networks do not know is refused with the range that they do:

# %%
try:
    gan.sample(1, labels=3)
except ValueError as error:
    print(error)

# %% [markdown]
# The guides of Keras concatenate one-hot labels to latents and images.
# `kgg.networks.conditional` makes such a network take integer labels.
