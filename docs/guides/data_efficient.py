# %% [markdown]
# # Data-efficient GAN
# The Keras guide "Data-efficient GANs with adaptive discriminator augmentation": its
# augmenter, probability and train step are one argument here, and a KID of any extractor
# is one callback.

# %%
import keras
import numpy as np

import keras_gamegan as kgg

images = np.random.default_rng(0).uniform(-1, 1, (128, 16, 16, 3)).astype("float32")

# %%
pair = kgg.networks.dcgan_pair((16, 16, 3), latent_dim=16, base_filters=8, seed=0)
gan = kgg.GAN(
    *pair, augment=kgg.augment.Adaptive(target=0.6, num_images=20_000), seed=0
)
gan.compile(
    keras.optimizers.Adam(2e-4, beta_1=0.5), keras.optimizers.Adam(2e-4, beta_1=0.5)
)
extractor = kgg.metrics.random_features((16, 16, 3))
kid = kgg.callbacks.Evaluate(
    kgg.metrics.KernelDistance(extractor, name="random_kid"),
    num_samples=64,
    real_data=images[:64],
)
history = gan.fit(images[64:], batch_size=32, epochs=3, verbose=0, callbacks=[kid])
kgg.compare({"run": history}, logs=["random_kid", "augment_probability", "d_real"])
