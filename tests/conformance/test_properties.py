"""The table of properties x rows, one test a cell."""

import pytest
import tensorflow as tf

from tests.conformance import cases, properties

QUICK = ["GAN alternating", "DualityGapGAN sgd", "FictitiousGAN sampled"]


def cells():
    """The first row by default; of the others a quarter of the cells, shifted each row.

    So each property meets every kind of model, and each model a quarter of them;
    the rows of QUICK have all of theirs in the slow tests. The command that prints the
    table measures every cell that is not left out for a reason.
    """
    found = []
    for i, row in enumerate(cases.CASES):
        for j, (title, column) in enumerate(properties.PROPERTIES.items()):
            drawn = (i + j) % 4 == 0
            if column.reason_against(row) is not None or not (drawn or row in QUICK):
                continue
            by_default = row == QUICK[0] or (row in QUICK and drawn)
            slow = [] if by_default else [pytest.mark.slow]
            found.append(pytest.param(row, title, marks=slow, id=f"{row}-{title}"))
    return found


@pytest.mark.parametrize("row, title", cells())
def test_property(row, title):
    column = properties.PROPERTIES[title]
    assert column.measure(row) <= column.tolerance


def test_a_host_callback_would_be_noticed():
    def with_callback(x):
        return tf.numpy_function(lambda y: y + 1, [x], tf.float32)

    step = tf.function(with_callback, jit_compile=True)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        step.experimental_get_compiler_ir(tf.zeros(3))(stage="hlo")


@pytest.mark.parametrize("row", QUICK)
def test_own_variables_are_made_as_a_tpu_strategy_needs(row):
    gan = cases.build(row)
    networks_own = {
        id(v) for v in (*gan.generator.variables, *gan.discriminator.variables)
    }
    own = [v for v in gan.variables if id(v) not in networks_own]
    assert own
    for variable in own:
        # One value for all replicas, written alike by each: never left to diverge.
        assert variable.aggregation == "only_first_replica", variable.path
        assert variable.shape is not None and None not in variable.shape
