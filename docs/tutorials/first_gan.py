# %% [markdown]
# # First GAN in ten lines
# Any two Keras networks that fit each other make a GAN; here are two small ones for points
# in the plane, and a distribution to learn.

# %%
import keras

import keras_gamegan as kgg

ring = kgg.datasets.gaussian_ring(num_modes=8, standard_deviation=0.05)
discriminator, generator = kgg.networks.mlp_pair(data_dim=2, latent_dim=16, seed=0)

gan = kgg.GAN(discriminator, generator, seed=0)
gan.compile(
    keras.optimizers.Adam(1e-3, beta_1=0.5),
    keras.optimizers.Adam(1e-3, beta_1=0.5),
    penalty=kgg.penalties.R1(0.05),
    steps_per_execution=50,
)
history = gan.fit(ring.batches(128, steps_per_epoch=1000), epochs=3, verbose=0)
gan

# %% [markdown]
# The losses of a GAN say little about its samples. `d_real` and `d_fake` are the
# discriminator's mean probability that real and generated data are real: near one half,
# it cannot tell them apart.

# %%
{name: round(values[-1], 3) for name, values in history.history.items()}

# %% [markdown]
# Samples depend on the seed alone, not on how many are drawn.

# %%
gan.show(500, seed=1)

# %% [markdown]
# How many of the eight modes are there, and how many samples are near one:

# %%
coverage = kgg.metrics.ModeCoverage(ring.centers, 0.05)
coverage.update_state(gan.sample(2000, seed=2))
{name: round(float(value), 2) for name, value in coverage.result().items()}

# %% [markdown]
# The same networks under another trainer: exchange `kgg.GAN` for `kgg.DualityGapGAN` or
# `kgg.FictitiousGAN`. Everything else stays.
