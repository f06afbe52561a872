# %% [markdown]
# # DCGAN
# The Keras guide "DCGAN to generate face images", with its networks. What this version
# adds: frozen means frozen, samples of a moving average, exact resuming, several GPUs.

# %%
import keras
import numpy as np
from keras import layers

import keras_gamegan as kgg

SIZE, LATENT = 16, 16  # The guide: 64 and 128.
images = np.random.default_rng(0).uniform(-1, 1, (128, SIZE, SIZE, 3)).astype("float32")

# %%
discriminator = keras.Sequential(
    [
        keras.Input((SIZE, SIZE, 3)),
        layers.Conv2D(16, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(32, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dropout(0.2),
        layers.Dense(1),  # A logit: the guide's sigmoid belongs to the loss here.
    ]
)
generator = keras.Sequential(
    [
        keras.Input((LATENT,)),
        layers.Dense(4 * 4 * 32),
        layers.Reshape((4, 4, 32)),
        layers.Conv2DTranspose(32, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2DTranspose(16, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(3, 5, padding="same", activation="tanh"),
    ]
)

# %%
gan = kgg.GAN(discriminator, generator, seed=0)
gan.compile(
    keras.optimizers.Adam(1e-4),
    keras.optimizers.Adam(1e-4),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
)
gan.fit(images, batch_size=32, epochs=2, verbose=2)
gan.show(9, seed=0)
