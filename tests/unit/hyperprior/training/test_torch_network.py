"""The network in PyTorch computes what the network in TensorFlow computes. Skipped where PyTorch is not installed."""

import numpy as np
import pytest

from bandpress.hyperprior.architecture import Architecture

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.tensorflow

LAMBDAS, REFERENCE, SIDE = (1e-5, 1e-4, 1e-3), 2000.0, 48


@pytest.fixture(params=["mirror", "zero"])
def networks(request):
    import torch_network
    from bandpress.hyperprior.model import Hyperprior

    architecture = Architecture(3, (8, 12, 16), 24, 8, len(LAMBDAS), borders=request.param)
    weights, rng = architecture.random_weights(1), np.random.default_rng(2)
    for name, value in weights.items():
        if name.endswith("gamma"):
            value += rng.uniform(0, 0.02, value.shape).astype(np.float32)
        if name.startswith("gains/"):
            value *= rng.uniform(5, 20, value.shape).astype(np.float32)
    parameters = {
        name: torch.tensor(torch_network.stored(name, value), requires_grad=True)
        for name, value in weights.items()
    }
    return weights, Hyperprior(architecture, weights), torch_network.Forward(architecture, parameters)


def patches():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((4, SIDE, SIDE, 3)).cumsum(1).cumsum(2).astype(np.float32)
    x = (x - x.min()) / (x.max() - x.min())
    return x, rng.uniform(300, 6000, (4, 3)).astype(np.float32), rng.uniform(-11, -7, 4).astype(np.float32)


def by_tensorflow(network, noise):
    import tensorflow as tf

    from bandpress.hyperprior.model import rate_distortion
    from bandpress.hyperprior.training.trainer import quality_of

    x, ranges, wanted = patches()
    logs = np.log(np.array(LAMBDAS, np.float32))
    scale = np.square(ranges).mean(1) / REFERENCE**2
    wanted = np.clip(wanted + np.log(scale), logs[0], logs[-1])
    quality = quality_of(logs, tf.constant(wanted))
    seed = tf.constant([1, 7])
    with tf.GradientTape() as tape:
        found = network(tf.constant(x), noise, quality, seed)
        error = tf.square((found.reconstruction - x) * ranges[:, None, None, :])
        losses = rate_distortion(
            found.bits_y + found.bits_z,
            tf.reduce_sum(error, (1, 2, 3)),
            tf.constant(np.exp(wanted) / scale),
            tf.shape(x),
        )
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, network.parameters)
    shapes = [(4, 2, 2, 8), (4, 3, 3, 24)]  # of z and y
    drawn = [
        tf.random.stateless_uniform(shape, tf.random.experimental.stateless_fold_in(seed, i), -0.5, 0.5)
        for i, shape in enumerate(shapes)
    ]
    return losses.numpy(), gradients, [part.numpy() for part in reversed(drawn)]


def by_pytorch(forward, noise):
    import torch_network

    x, ranges, wanted = (torch.tensor(part) for part in patches())
    x = x.permute(0, 3, 1, 2).contiguous()
    logs, sizes = torch.tensor(np.log(LAMBDAS), dtype=torch.float32), torch.tensor([[SIDE, SIDE]] * 4)
    quality, lambda_ = torch_network.quality_of(logs, REFERENCE, wanted, ranges)
    drawn = noise and tuple(torch.tensor(part).permute(0, 3, 1, 2) for part in noise)
    decoded, bits_y, bits_z = forward(x, quality, drawn, False)
    squared = torch_network.squares(x, decoded, ranges, sizes)
    return torch_network.rate_distortion(bits_y + bits_z, squared, lambda_, sizes, 3)


def test_losses_and_gradients_with_noise_are_equal(networks):
    weights, network, forward = networks
    expected, gradients, noise = by_tensorflow(network, True)
    losses = by_pytorch(forward, noise)
    np.testing.assert_allclose(losses.detach().numpy(), expected, rtol=1e-5)
    losses.mean().backward()
    for name in weights:
        if gradients[name] is None or name == "prior/offset":
            continue
        found, wanted = forward.parameters[name].grad.numpy(), gradients[name]
        wanted = np.asarray(wanted if not hasattr(wanted, "values") else _dense(wanted))
        if name.endswith("kernel"):
            upwards = name.startswith(("synthesis/", "hyper_synthesis/0"))
            found = found.transpose((2, 3, 0, 1) if upwards else (2, 3, 1, 0))
        assert np.linalg.norm(found - wanted) <= 1e-3 * np.linalg.norm(wanted) + 1e-6, name


def _dense(slices):
    import tensorflow as tf

    return tf.convert_to_tensor(slices)


def test_losses_with_rounding_are_equal(networks):
    _, network, forward = networks
    expected, _, _ = by_tensorflow(network, False)
    np.testing.assert_allclose(by_pytorch(forward, None).detach().numpy(), expected, rtol=1e-5)


def test_weights_survive_a_round_trip(networks):
    import torch_network

    weights, _, forward = networks
    for name, value in weights.items():
        np.testing.assert_allclose(
            torch_network.restored(name, forward.parameters[name]), value, rtol=2e-6, atol=1e-9
        )
