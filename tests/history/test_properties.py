"""Properties of the bank: against the laws of the rules and a plain Python model."""

import pathlib
import tempfile

import hypothesis.stateful as stateful
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import keras_gamegan as kgg
from keras_gamegan import stateless_network
from keras_gamegan.games import bookkeeping, randomness, retention

# Chance of a false alarm of each statistical test, had the seeds been drawn anew.
ALARM = 1e-4


def _number(seed, clock, count):
    """The random number of a bank's push, by seed, clock and ordinal."""
    stream = randomness.fold(
        randomness.root(seed), randomness.Purpose.RETENTION, clock, count
    )
    return randomness.uniform(stream)


def ordinals_of_seeds(name, capacity, pushes, seeds):
    """Ordinals (seeds, capacity) of banks of many seeds, pushed after every step."""
    rule = retention.get(name)

    def push(slots, count):
        number = _number(slots[1], count, count)
        moved = bookkeeping.record_step(slots[0], rule, True, number)
        return moved, slots[1]

    @tf.function
    def run(seed):
        first = (bookkeeping.initial_slots(capacity), seed)
        return tf.foldl(push, tf.range(pushes, dtype=tf.int64), first)[0].ordinals

    return tf.function(
        lambda: tf.map_fn(run, tf.range(seeds, dtype=tf.int64))
    )().numpy()


def assert_law(observed, probabilities):
    """Chi-squared test of counts; rare outcomes are taken together."""
    expected = np.sum(observed) * np.asarray(probabilities)
    assert np.sum(probabilities) == pytest.approx(1)
    rare = expected < 8
    if rare.any():
        observed = np.append(observed[~rare], observed[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    statistic = np.sum((observed - expected) ** 2 / expected)
    assert statistic < stats.chi2.ppf(1 - ALARM, len(expected) - 1)


@pytest.mark.parametrize(("capacity", "pushes"), [(2, 8), (4, 16)])
def test_ages_of_the_geometric_rule(capacity, pushes):
    seeds = 2000
    ordinals = ordinals_of_seeds("geometric", capacity, pushes, seeds)
    # One observation a bank, hence independent ones: the age of the model in slot 0,
    # drawn anew with probability 1 / capacity at every push of the full bank.
    draws = pushes - (capacity - 1)
    ages = np.arange(draws)
    law = [*((1 / capacity) * (1 - 1 / capacity) ** ages), (1 - 1 / capacity) ** draws]
    age = np.minimum(pushes - ordinals[:, 0], draws)
    assert_law(np.bincount(age, minlength=draws + 1), law)


@pytest.mark.parametrize(("capacity", "pushes"), [(2, 8), (4, 16)])
def test_ages_of_the_reservoir_rule(capacity, pushes):
    seeds = 2000
    ordinals = ordinals_of_seeds("reservoir", capacity, pushes, seeds)
    frozen = np.sort(ordinals, axis=1)[:, :-1]
    assert np.all(ordinals.max(axis=1) == pushes)
    # One stored model of each bank: every model ever frozen is equally likely.
    chosen = np.random.default_rng(0).integers(0, capacity - 1, seeds)
    one = frozen[np.arange(seeds), chosen]
    assert_law(np.bincount(one, minlength=pushes), np.full(pushes, 1 / pushes))


@pytest.mark.parametrize("name", ["fifo", "thinned"])
def test_ages_of_rules_without_chance(name):
    capacity, pushes = 4, 21
    ordinals = np.sort(ordinals_of_seeds(name, capacity, pushes, 20), axis=1)
    # Thinned, up to the last push 20: 20 // 8 + 1 = 3 models fit beside the live one.
    kept = {"fifo": [18, 19, 20, 21], "thinned": [0, 8, 16, 21]}[name]
    np.testing.assert_array_equal(ordinals, np.tile(kept, (20, 1)))


class PlainBank:
    """A bank in plain Python: what each slot holds, and nothing else."""

    def __init__(self, capacity, rule, interval, seed, value):
        self.rule, self.interval, self.seed = rule, interval, seed
        self.slots = [None] * capacity  # (ordinal, step, value)
        self.slots[0] = (0, 0, value)
        self.shares = [1.0, *[0.0] * (capacity - 1)]
        self.head = self.clock = 0

    @property
    def order(self):
        filled = [slot for slot, held in enumerate(self.slots) if held]
        return sorted(filled, key=lambda slot: self.slots[slot][0])

    def members(self):
        return [self.slots[slot][1:] for slot in self.order]

    def record(self, value):
        if self.interval and self.clock and self.clock % self.interval == 0:
            self._move_on()
        self.clock += 1
        self.slots[self.head] = (self.slots[self.head][0], self.clock, value)

    def push(self, value):
        ordinal = self.slots[self.head][0]
        self.slots[self.head] = (ordinal, self.slots[self.head][1], value)
        self._move_on()
        self.slots[self.head] = (ordinal + 1, self.clock, value)

    def _move_on(self):
        count, capacity = self.slots[self.head][0], len(self.slots)
        number = float(_number(self.seed, self.clock, count))
        if None in self.slots:
            chosen = self.slots.index(None)
        elif self.rule == "fifo":
            chosen = self.order[0]
        elif self.rule == "geometric":
            chosen = int(number * capacity)
        elif self.rule == "reservoir":
            others = [slot for slot in range(capacity) if slot != self.head]
            drawn = int(number * (count + 1))
            chosen = others[drawn] if drawn < capacity - 1 else self.head
        else:
            spacing = 1
            while count // spacing + 1 > max(capacity - 1, 1):
                spacing *= 2
            gone = [s for s in self.order if self.slots[s][0] % spacing]
            chosen = gone[-1] if gone else self.head
        self.head = chosen
        self.slots[chosen] = (count + 1, self.clock, None)
        mean = 1 / len(self.order)
        rest = [slot for slot in self.order if slot != chosen]
        total = sum(self.shares[slot] for slot in rest)
        for slot in rest:
            share = self.shares[slot] / total if total else 1 / len(rest)
            self.shares[slot] = (1 - mean) * share
        self.shares[chosen] = mean


class Holder(keras.Model):
    """A network and its bank, for files of weights."""

    def __init__(self, network, bank):
        super().__init__()
        self.network, self.bank = network, bank
        self.built = True


def _fill(network, value):
    network.set_weights([np.full(w.shape, value) for w in network.get_weights()])


class BankMachine(stateful.RuleBasedStateMachine):
    """Any sequence of train, record, push, save, restore agrees with `PlainBank`."""

    retention = "fifo"

    @stateful.initialize(
        capacity=st.integers(1, 4),
        interval=st.sampled_from([None, 1, 2, 3]),
        seed=st.integers(0, 5),
        value=st.floats(-4, 4, width=32, allow_subnormal=False),
    )
    def make(self, capacity, interval, seed, value):
        rule = self.retention
        self.folder = tempfile.TemporaryDirectory()
        self.arguments = {
            "interval": interval,
            "retention": rule,
            "seed": seed,
            "weights": "nash",
        }
        self.capacity = capacity
        self.holder = self._new(value)
        self.plain = PlainBank(capacity, rule, interval, seed, np.float32(value))
        self.live, self.saved = np.float32(value), None

    def _new(self, value):
        keras.utils.set_random_seed(0)
        layers = [
            keras.Input((1,)),
            keras.layers.Dense(2),
            keras.layers.BatchNormalization(),
        ]
        network = keras.Sequential(layers)
        _fill(network, value)
        return Holder(network, kgg.WeightBank(network, self.capacity, **self.arguments))

    @stateful.rule(
        value=st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)
    )
    def train(self, value):
        self.live = np.float32(value)
        _fill(self.holder.network, self.live)
        player = stateless_network.StatelessNetwork(self.holder.network).player()
        self.holder.bank.record(player)
        self.plain.record(self.live)

    @stateful.rule(times=st.integers(1, 5))
    def push(self, times):
        for _ in range(times):
            self.holder.bank.push()
            self.plain.push(self.live)

    @stateful.rule(value=st.floats(-1, 1, width=32, allow_subnormal=False))
    def change_weights_between_steps(self, value):
        self.live = np.float32(value)
        _fill(self.holder.network, self.live)

    @stateful.rule(raw=st.lists(st.integers(0, 9), min_size=4, max_size=4))
    def assign(self, raw):
        raw = np.array(raw[: len(self.plain.order)], float)
        shares = raw / raw.sum() if raw.sum() else np.full(raw.size, 1 / raw.size)
        self.holder.bank.assign_probabilities(shares)
        self.plain.shares = [0.0] * self.capacity
        for slot, share in zip(self.plain.order, shares, strict=True):
            self.plain.shares[slot] = share

    @stateful.rule()
    def save(self):
        path = pathlib.Path(self.folder.name) / "bank.weights.h5"
        self.holder.save_weights(path, overwrite=True)
        plain = self.plain
        state = list(plain.slots), list(plain.shares), plain.head, plain.clock
        self.saved = path, self.live, state

    @stateful.precondition(lambda self: self.saved is not None)
    @stateful.rule(anew=st.booleans())
    def restore(self, anew):
        path, self.live, state = self.saved
        if anew:  # As another process would.
            self.holder = self._new(0.0)
        self.holder.load_weights(path)
        slots, shares, self.plain.head, self.plain.clock = state
        self.plain.slots, self.plain.shares = list(slots), list(shares)

    @stateful.invariant()
    def agrees(self):
        bank, expected = self.holder.bank, self.plain.members()
        assert bank.size == len(expected) <= bank.capacity == self.capacity
        np.testing.assert_array_equal(bank.member_steps, [step for step, _ in expected])
        for weights, (_, value) in zip(bank.member_weights, expected, strict=True):
            for array in weights:
                np.testing.assert_array_equal(array, np.full(array.shape, value))
        shares = [self.plain.shares[slot] for slot in self.plain.order]
        np.testing.assert_allclose(bank.member_probabilities, shares, atol=1e-12)

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()


@pytest.mark.parametrize("rule", retention.NAMES)
def test_any_sequence_agrees_with_a_plain_bank(rule):
    machine = type(f"{rule}Machine", (BankMachine,), {"retention": rule})
    stateful.run_state_machine_as_test(
        machine, settings=settings(max_examples=15, stateful_step_count=12)
    )


@settings(max_examples=12)
@given(
    st.integers(2, 6),
    st.sampled_from([None, 0.0, 0.25, 1.0]),
    st.floats(0.05, 1.0),
    st.integers(0, 9),
)
def test_geometric_weights_against_plain_numbers(capacity, weight, decay, pushes):
    slots, rule = bookkeeping.initial_slots(capacity), retention.get("reservoir")
    for count in range(pushes):
        slots = bookkeeping.record_step(slots, rule, True, _number(3, count, count))
    shares = bookkeeping.probabilities(slots, weight, tf.float64, decay).numpy()
    order = np.argsort(slots.ordinals)[-min(pushes + 1, capacity) :]
    by_age = shares[order][::-1]
    assert shares.sum() == pytest.approx(1, abs=1e-12)
    assert np.all(np.delete(shares, order) == 0)
    stored = by_age if weight is None else by_age[1:]
    if weight is not None and len(by_age) > 1:
        assert by_age[0] == pytest.approx(weight, abs=1e-15)
    np.testing.assert_allclose(stored[1:], decay * stored[:-1], atol=1e-15)


class _Diary(keras.callbacks.Callback):
    """Keeps both networks' weights after every step."""

    def on_train_begin(self, logs=None):
        self.pages = [self._weights()]

    def on_train_batch_end(self, batch, logs=None):
        self.pages.append(self._weights())

    def _weights(self):
        networks = self.model.generator, self.model.discriminator
        return [network.get_weights() for network in networks]


@pytest.mark.parametrize(
    ("rule", "interval"),
    [("geometric", 3), ("reservoir", kgg.history.GrowingInterval(1, 1.3))],
)
def test_members_are_the_weights_of_their_steps_bit_for_bit(rule, interval):
    discriminator, generator = kgg.networks.mlp_pair(data_dim=2, latent_dim=3, width=4)
    gan = kgg.FictitiousGAN(
        discriminator, generator, history=kgg.History(4, interval, rule), seed=2
    )
    gan.compile()
    data = np.random.default_rng(0).normal(size=(80, 2)).astype("float32")
    diary = _Diary()
    gan.fit(data, batch_size=4, verbose=0, callbacks=[diary])
    for index, bank in enumerate((gan.generator_bank, gan.discriminator_bank)):
        assert bank.size == 4 and bank.member_steps[-1] == 20
        for step, weights in zip(bank.member_steps, bank.member_weights, strict=True):
            for stored, then in zip(weights, diary.pages[step][index], strict=True):
                np.testing.assert_array_equal(stored, then)
