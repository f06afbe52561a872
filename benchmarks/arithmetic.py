"""The arithmetic bound: what the parts of a step cost when each is computed alone.

    python benchmarks/arithmetic.py

The parts are forward passes, weight gradients and input gradients of both networks, and
the optimizers' updates as TensorFlow's fused kernels. They are written here without the
library. A bound is a sum of parts: no guard, no running means, no moving average, no
latents, no step counter. Parts that run side by side on two cores can beat the sum.

What is counted, for one batch b:

    D update        D on real and generated data: forward and weight gradient
    fakes           G forward
    G update        G forward, D forward and input gradient, G weight gradient
    plain step      D update + fakes + G update + outer optimizers
    full, K models  D on real and K batches of fakes, K fakes; G once, K times D's
                    forward and input gradient; outer optimizers
    gap, k steps    k (D update + G update + inner optimizer) + fakes once, + the plain
                    step against the worst opponents
    measured gap    n (D update + fakes + G update + inner optimizer), fresh batches;
                    each scoring batch: 2 fakes and 4 times D forward

Where a network has no layer with modes, the fakes of a simultaneous step and of a
search are those of the G update and are not counted again; with BatchNorm they differ:
the player that is updated runs in training mode, its opponent in inference mode.
"""

import keras
import settings
import tensorflow as tf
import timing
from absl import app, flags


def _in_order(function, arguments, repeats):
    """Returns a compiled function that computes a part several times in a row.

    Args:
        function: Function of one set of arguments.
        arguments: List of tuples of tensors, one for each repetition.
        repeats: Number of repetitions.
    """

    @tf.function(autograph=False)
    def run():
        done, everything = [], []
        for index in range(repeats):
            # Behind the last repetition: two cores would compute two at once.
            with tf.control_dependencies(done):
                given = [tf.identity(x) for x in arguments[index % len(arguments)]]
            done = tf.nest.flatten(function(*given))
            everything += done
        # TensorFlow leaves out what nobody reads, whoever waits for it.
        return everything

    return run.get_concrete_function()


class Parts:
    """The parts of the steps of one pair of networks.

    Args:
        setting: A `settings.Setting`.
        members: Numbers K of models in a full mixture whose D update is timed too.
        batch_size: Examples in a batch. Default: the setting's.
    """

    def __init__(self, setting, members=(), batch_size=None):
        self.discriminator, self.generator = setting.make()
        self._batch_size = batch_size or setting.batch_size
        self._shape = setting.data_shape
        self._repeats = 1 if setting.steps == 1 else min(8, setting.steps)
        self._members = members
        self.has_modes = bool(self.generator.non_trainable_weights)

    def contestants(self):
        """Returns name -> stopwatch of each part."""
        size = self._batch_size
        named = {
            "fakes": (self._fakes, [self._latents()]),
            "g_weights": (self._g_weights, [self._latents(), self._data(size)]),
            "d_weights": (self._d_weights, [self._data(2 * size)]),
            "d_input": (self._d_input, [self._data(size)]),
            "d_forward": (self._d_forward, [self._data(size)]),
            "outer": (self._optimizer("adam"), [self._seed()]),
            "inner sgd": (self._optimizer("sgd"), [self._seed()]),
        }
        for number in self._members:
            batch = self._data((1 + number) * size, 2)
            named[f"d_weights {number}"] = self._d_weights, [batch]
        found = {}
        for name, (function, columns) in named.items():
            run = _in_order(function, list(zip(*columns, strict=True)), self._repeats)
            found[name] = timing.stopwatch(run, self._repeats)
        return found

    def _data(self, size, number=8):
        return list(tf.random.stateless_normal([number, size, *self._shape], [1, size]))

    def _latents(self):
        dim = self.generator.inputs[0].shape[1]
        return list(tf.random.stateless_normal([8, self._batch_size, dim], [2, 3]))

    def _seed(self):
        return [tf.constant(float(number)) for number in range(8)]

    def _fakes(self, latents):
        return self.generator(latents, training=False)

    def _g_weights(self, latents, upstream):
        with tf.GradientTape() as tape:
            made = self.generator(latents, training=True)
        return tape.gradient(
            made, self.generator.trainable_variables, output_gradients=upstream
        )

    def _d_weights(self, data):
        with tf.GradientTape() as tape:
            loss = self._loss(data, True)
        return loss, tape.gradient(loss, self.discriminator.trainable_variables)

    def _d_input(self, data):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(data)
            loss = self._loss(data, False)
        return loss, tape.gradient(loss, data)

    def _d_forward(self, data):
        return self._loss(data, False)

    def _loss(self, data, training):
        logits = self.discriminator(data, training=training)
        return tf.reduce_mean(tf.nn.softplus(-logits))

    def _optimizer(self, name):
        """Returns the update of all weights of both networks, given gradients."""
        networks = self.discriminator, self.generator
        variables = [
            tf.Variable(variable)
            for network in networks
            for variable in network.trainable_variables
        ]
        gradients = [tf.constant(variable.numpy()) for variable in variables]
        moments = [
            [tf.Variable(tf.zeros_like(variable)) for variable in variables]
            for _ in range(2)
        ]

        def sgd(scale):
            for variable, gradient in zip(variables, gradients, strict=True):
                tf.raw_ops.ResourceApplyGradientDescent(
                    var=variable.handle, alpha=1e-9 * scale, delta=gradient
                )
            return scale

        def adam(scale):
            for variable, first, second, gradient in zip(
                variables, *moments, gradients, strict=True
            ):
                tf.raw_ops.ResourceApplyAdam(
                    var=variable.handle,
                    m=first.handle,
                    v=second.handle,
                    beta1_power=0.5,
                    beta2_power=0.9,
                    lr=1e-9 * scale,
                    beta1=0.5,
                    beta2=0.999,
                    epsilon=1e-7,
                    grad=gradient,
                )
            return scale

        return {"sgd": sgd, "adam": adam}[name]


_UPDATES = {"d_weights": 1, "g_weights": 1, "d_input": 1}


def alternating():
    """Returns the bound of a `GAN` step, as weights of the parts."""
    return _UPDATES | {"fakes": 1, "outer": 1}


def simultaneous(has_modes):
    """Returns the bound of a simultaneous step."""
    return _UPDATES | {"fakes": int(has_modes), "outer": 1}


def full(members):
    """Returns the bound of a step against all of ``members`` stored models."""
    return {
        f"d_weights {members}": 1,
        "fakes": members,
        "g_weights": 1,
        "d_input": members,
        "outer": 1,
    }


def duality_gap(num_steps, optimizer, has_modes):
    """Returns the bound of a duality-gap step with searches of ``num_steps`` steps."""
    bound = {name: num_steps + 1 for name in _UPDATES}
    # Of u for the search, of u_w for the step.
    bound["fakes"] = 1 + int(has_modes)
    bound["outer"] = 1
    return _with_inner(bound, num_steps, optimizer)


def measured_gap(num_steps, scoring_batches):
    """Returns the bound of `kgg.duality_gap` with its default, Adam."""
    bound = {name: num_steps for name in _UPDATES}
    bound["fakes"] = num_steps + 2 * scoring_batches
    bound["d_forward"] = 4 * scoring_batches
    return _with_inner(bound, num_steps, "adam")


def _with_inner(bound, num_steps, optimizer):
    # The fused kernel of Adam does not know whether it is an inner one.
    part = "outer" if optimizer == "adam" else "inner sgd"
    return bound | {part: bound.get(part, 0) + num_steps}


def table(seconds, networks):
    """Returns the lines of a Markdown table of the parts alone."""
    return [
        f"| {name} | {networks} | {timing.median_milliseconds(taken):.3g} |"
        for name, taken in seconds.items()
    ]


def main(argv):
    """Times the parts of both pairs of networks and prints a Markdown table."""
    if len(argv) > 1:
        raise app.UsageError(f"Expected flags only. Received: {argv[1:]}.")
    timing.limit_threads(2)
    keras.utils.set_random_seed(0)
    print("| part | networks | ms |\n|---|---|---|")
    for setting in settings.settings().values():
        parts = Parts(setting, members=(5,)).contestants()
        seconds = timing.interleave(parts, flags.FLAGS.rounds, 2)
        print("\n".join(table(seconds, setting.name)), flush=True)


if __name__ == "__main__":
    flags.DEFINE_integer("rounds", 21, "Timed rounds.", 1)
    app.run(main)
