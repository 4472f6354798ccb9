"""The layers as they are trained are those that code, and their gradients those that TensorFlow finds."""

import numpy as np
import pytest

from bandpress.hyperprior.processor import has_bfloat16

pytestmark = pytest.mark.tensorflow

#: How far bfloat16, eight bits of mantissa, may take the length of an error from that of its array. Two operands and a
#: result are rounded, each by at most 2^-8, independently; sums are in float32 on every processor.
ROUNDED = 3**0.5 * 2**-8
#: Sums in another order may be rounded to the other neighbour, 2^-7 away, where they lie between two numbers: at most
#: one in sixteen of them.
SAME = 2**-7 / 16**0.5

LAYERS = [
    ("down", 16, 3, 8, (False,)),
    ("down", 16, 3, 8, (True,)),
    ("down", 7, 16, 8, (False,)),
    ("up", 8, 8, 16, (False,)),
    ("up", 8, 8, 16, (True,)),
    ("up", 8, 16, 3, (False,)),
    ("up", 8, 16, 3, (True,)),
    ("same", 9, 8, 16, ()),
    ("gdn", 8, 8, 8, ()),
    ("inverse_gdn", 8, 8, 8, ()),
]


def arguments(kind, side, fan_in, fan_out):
    """Input and weights of a layer, and what its output is weighed with."""
    random = np.random.default_rng(7)

    def normal(*shape):
        return random.standard_normal(shape).astype(np.float32)

    x, out = normal(2, side, side, fan_in), {"down": -(-side // 2), "up": 2 * side}.get(kind, side)
    if kind.endswith("gdn"):
        weights = [np.abs(normal(fan_out)) + 0.5, 0.1 * np.abs(normal(fan_in, fan_out))]
    else:
        taps = 3 if kind == "same" else 5
        weights = [normal(taps, taps, fan_in, fan_out), normal(fan_out)]
    return [x, *weights], normal(2, out, out, fan_out)


def evaluated(layers, kind, options, inputs, weighed):
    """The output of a layer, and the gradients of its weighed sum."""
    import tensorflow as tf

    @tf.function
    def run(*inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = getattr(layers, kind)(*inputs, *options)
            total = tf.reduce_sum(y * weighed)
        return [y, *tape.gradient(total, inputs)]

    return [part.numpy() for part in run(*map(tf.constant, inputs))]


def apart(found, expected):
    """The largest distance of two lists of arrays, each relative to its length."""
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
    return max(np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(("kind", "side", "fan_in", "fan_out", "options"), LAYERS)
def test_layers_agree_with_those_that_code(kind, side, fan_in, fan_out, options):
    import tensorflow as tf

    from bandpress.hyperprior import transforms
    from bandpress.hyperprior.training.gradients import Layers

    inputs, weighed = arguments(kind, side, fan_in, fan_out)
    expected = evaluated(transforms, kind, options, inputs, weighed)
    assert apart(evaluated(Layers(), kind, options, inputs, weighed), expected) < 2e-6
    back = evaluated(Layers(back=tf.bfloat16), kind, options, inputs, weighed)
    assert apart(back[:1], expected[:1]) < 2e-6
    assert 1e-5 < apart(back, expected) < ROUNDED
    both = evaluated(Layers(tf.bfloat16, tf.bfloat16), kind, options, inputs, weighed)
    assert apart(both, expected) < ROUNDED


@pytest.mark.skipif(not has_bfloat16(), reason="this processor has no bfloat16")
@pytest.mark.parametrize(("kind", "side", "fan_in", "fan_out", "options"), LAYERS)
def test_processors_with_bfloat16_round_as_those_without(kind, side, fan_in, fan_out, options):
    import tensorflow as tf

    from bandpress.hyperprior.training.gradients import Layers

    inputs, weighed = arguments(kind, side, fan_in, fan_out)
    for forth in (tf.float32, tf.bfloat16):
        native, simulated = (
            evaluated(Layers(forth, tf.bfloat16, native=has), kind, options, inputs, weighed)
            for has in (True, False)
        )
        assert apart(native, simulated) < SAME


def test_bits_agree_with_those_of_the_refinement_and_with_exact_ones():
    import tensorflow as tf
    from scipy.special import log_ndtr

    from bandpress.hyperprior import densities
    from bandpress.hyperprior.training import gradients

    random = np.random.default_rng(3)
    scale = np.exp(random.uniform(np.log(0.11), np.log(256), 20_000)).astype(np.float32)
    y = random.standard_normal(20_000) * scale * np.exp(random.uniform(-3, 3, 20_000))
    y = np.where(random.random(20_000) < 0.5, np.round(y), y).astype(np.float32)
    near, far = ((side - np.abs(y.astype(float))) / scale for side in (0.5, -0.5))
    exact = -(log_ndtr(near) + np.log1p(-np.exp(log_ndtr(far) - log_ndtr(near)))) / np.log(2)
    found = []
    for bits in (gradients.gaussian_bits, densities.gaussian_bits):
        inputs = [tf.constant(y), tf.constant(scale)]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            value = bits(*inputs)
        found.append([part.numpy() for part in (value, *tape.gradient(value, inputs))])
    new, old = found
    np.testing.assert_allclose(new[0], exact, rtol=5e-5, atol=5e-5)
    for slope, other in zip(new[1:], old[1:], strict=True):
        np.testing.assert_allclose(slope, other, rtol=2e-3, atol=2e-4 * np.abs(other).mean())


@pytest.mark.parametrize("borders", ["zero", "mirror"])
def test_a_step_in_mixed_precision_is_one_in_float32_to_three_digits(borders):
    import tensorflow as tf

    from bandpress.hyperprior.architecture import Architecture
    from bandpress.hyperprior.model import Hyperprior

    architecture = Architecture(3, (4, 8, 16), 24, 16, qualities=2, borders=borders)
    network = Hyperprior(architecture, architecture.random_weights(1))
    x = tf.constant(np.random.default_rng(1).random((2, 48, 48, 3), np.float32))
    variables = [v for v in network.parameters.values() if v.trainable]
    found = {}
    for name, form in [("coding", network)] + [(p, network.to_train(p)) for p in ("float32", "mixed")]:
        with tf.GradientTape() as tape:
            out = form(x, True, tf.constant([0.0, 0.7]))
            loss = tf.reduce_sum(out.bits_y + out.bits_z) + 1e4 * tf.reduce_sum(
                tf.square(out.reconstruction - x)
            )
        slopes = tape.gradient(loss, variables)
        found[name] = [tf.convert_to_tensor(part).numpy() for part in (loss, *slopes)]
    assert apart(found["float32"], found["coding"]) < 1e-3
    assert abs(found["mixed"][0] / found["coding"][0] - 1) < 1e-3
    together = [np.concatenate([part.ravel() for part in found[name][1:]]) for name in ("mixed", "coding")]
    assert apart(*([part] for part in together)) < 2e-2
