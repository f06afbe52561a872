# %% [markdown]
# # WGAN-GP
# The Keras guide "WGAN-GP overriding Model.train_step": its train step of a page is two
# arguments here.

# %%
import keras
import numpy as np

import keras_gamegan as kgg

images = np.random.default_rng(0).uniform(-1, 1, (128, 28, 28, 1)).astype("float32")

# %%
discriminator, generator = kgg.networks.dcgan_pair(
    (28, 28, 1), latent_dim=16, base_filters=8, seed=0
)
wgan = kgg.GAN(discriminator, generator, discriminator_steps=3, seed=0)
wgan.compile(
    keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9),
    keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9),
    loss="wasserstein",
    penalty=kgg.penalties.GradientPenalty(10.0),
)
wgan.fit(images, batch_size=32, epochs=2, verbose=2)
wgan.show(9, seed=0)
