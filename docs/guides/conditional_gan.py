# %% [markdown]
# # Conditional GAN
# The Keras guide "Conditional GAN": a one-hot label is concatenated to the latent, and as
# planes to the image. `kgg.networks.conditional` turns such a pair into networks that take
# integer labels, so that `fit(images, labels)` and `sample(labels=...)` work.

# %%
import keras
import numpy as np
from keras import layers

import keras_gamegan as kgg

CLASSES, LATENT = 10, 16
rng = np.random.default_rng(0)
images = rng.uniform(-1, 1, (128, 28, 28, 1)).astype("float32")
labels = rng.integers(0, CLASSES, 128)

# %%
discriminator = keras.Sequential(
    [
        keras.Input((28, 28, 1 + CLASSES)),
        layers.Conv2D(16, 3, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(32, 3, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.GlobalMaxPooling2D(),
        layers.Dense(1),
    ]
)
generator = keras.Sequential(
    [
        keras.Input((LATENT + CLASSES,)),
        layers.Dense(7 * 7 * 16),
        layers.LeakyReLU(0.2),
        layers.Reshape((7, 7, 16)),
        layers.Conv2DTranspose(16, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2DTranspose(16, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(1, 7, padding="same", activation="tanh"),
    ]
)

# %%
gan = kgg.GAN(
    kgg.networks.conditional(discriminator, CLASSES),
    kgg.networks.conditional(generator, CLASSES),
    seed=0,
)
gan.compile(keras.optimizers.Adam(3e-4), keras.optimizers.Adam(3e-4))
gan.fit(images, labels, batch_size=32, epochs=2, verbose=2)

# %% [markdown]
# The guide's interpolation between two classes: the same latents, another label.

# %%
latents = rng.normal(size=(4, LATENT)).astype("float32")
gan.sample(latents=latents, labels=3).shape, gan.sample(latents=latents, labels=5).shape
