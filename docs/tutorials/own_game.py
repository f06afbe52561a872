# %% [markdown]
# # A game of your own
# The schemes that train the GAN solve closed-form games too; a game is a function of two
# players. Here is one whose players circle under simultaneous gradients.

# %%
import tensorflow as tf

import keras_gamegan as kgg

game = kgg.games.Game(lambda u, v: u * v, start=(1.0, 1.0), name="u v")
for scheme in (
    "simultaneous",
    "alternating",
    "extragradient",
    "optimistic",
    "duality_gap",
):
    found = kgg.games.solve(game, scheme=scheme, step_size=0.1, max_iterations=300)
    u, v = found.solution
    print(f"{scheme:14} {found.iterations:3} steps: u = {u:+.3f}, v = {v:+.3f}")

# %% [markdown]
# A payoff of your own makes a GAN of it: three functions of logits.


# %%
class Softplus(kgg.Payoff):
    """The original game, written out."""

    def real_term(self, logits):
        return -tf.nn.softplus(-logits)

    def fake_term(self, logits):
        return -tf.nn.softplus(logits)


gan = kgg.GAN(*kgg.networks.mlp_pair(2, 4, width=16, seed=0), seed=0)
gan.compile(loss=Softplus())
gan.fit(tf.zeros((32, 2)), verbose=0).history["value"]
