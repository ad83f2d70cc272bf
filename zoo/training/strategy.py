"""Which devices to use, whether to use XLA, and how many steps to run per call."""

from __future__ import annotations

from typing import Any

from recipes.recipe import Recipe
from zoo.base.errors import UsageError, gist
from zoo.base.runtime import claim_devices, start_tensorflow
from zoo.training.cluster import chosen_strategy, cluster_of

# A step of fewer floating-point operations than this is over before Python can start the next.
LONG_STEP = 1e10
MOST_STEPS = 64


def make_strategy(recipe: Recipe) -> Any:
    """Return the `tf.distribute` strategy of a recipe.

    ``auto`` is several workers where TF_CONFIG or Slurm say so, a TPU where its variables are set,
    mirrored where there are several devices to use, and one device elsewhere. Without GPUs the
    devices are logical CPU devices, so that mirrored training can be tried anywhere.

    Raises:
        UsageError: The machine does not have what the strategy needs.
    """
    start_tensorflow()
    strategy = _made(recipe)
    if strategy.num_replicas_in_sync > 1:
        from zoo.layers.replica_seeds import give_replicas_their_own_seeds

        give_replicas_their_own_seeds()
    return strategy


def _made(recipe: Recipe) -> Any:
    tf = start_tensorflow()
    kind = chosen_strategy(recipe)
    cluster = cluster_of(recipe)
    if cluster is not None:
        from zoo.training.multi_worker import multi_worker_strategy

        return multi_worker_strategy(cluster, recipe.devices)
    if kind == "tpu":
        return _tpu_strategy()
    devices = claim_devices(1 if kind == "one-device" else recipe.devices)
    if kind == "central-storage":
        # Variables are on the CPU unless there is one GPU alone, which then has them.
        return tf.distribute.experimental.CentralStorageStrategy(devices, "CPU:0")
    if kind == "mirrored" or (kind == "auto" and len(devices) > 1):
        # TensorFlow's own all-reduce for CPU devices; NCCL, its default, is for GPUs.
        cross = None if devices[0].startswith("GPU") else tf.distribute.ReductionToOneDevice()
        return tf.distribute.MirroredStrategy(devices, cross_device_ops=cross)
    if devices[0] == "CPU:0":
        return tf.distribute.get_strategy()
    return tf.distribute.OneDeviceStrategy(devices[0])


def _tpu_strategy() -> Any:
    """Return the strategy of all cores of the TPU that TPU_NAME or the machine itself names."""
    tf = start_tensorflow()
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
        return tf.distribute.TPUStrategy(resolver)
    except Exception as error:  # TensorFlow raises many kinds where there is no TPU
        raise UsageError(f"strategy tpu found no TPU: {gist(error)}") from None


def jit_compile(recipe: Recipe, strategy: Any) -> bool | str:
    """Return whether to compile with XLA: what the recipe says, or what was measured to pay."""
    if recipe.jit_compile != "auto":
        return recipe.jit_compile
    tf = start_tensorflow()
    if tf.config.list_physical_devices("GPU") and strategy.num_replicas_in_sync == 1:
        return "auto"
    # XLA was slower on CPU for every family measured so far (docs/performance.md): from 0.75 times
    # the samples a second for LSTM to 0.04 times for CapsNet.
    return False


def steps_per_execution(recipe: Recipe, model: Any, batches: Any, strategy: Any) -> int:
    """Return how many steps TensorFlow runs at a time: a divisor of an epoch's.

    Python takes about a millisecond to start a step. LeNet-5 trains about 1.3 times as fast if
    it starts several at once, ResNet-20, whose steps are long, no faster (docs/performance.md).

    Args:
        recipe: If it says how many, there are no more than that.
        model: Whose cost tells how long a step is.
        batches: The training batches, which go on from epoch to epoch: an execution that does not
            end with its epoch would run into the next.
        strategy: Of `make_strategy`.
    """
    if recipe.steps_per_execution == "auto":
        from zoo.anatomy.counts import multiply_adds

        share = batches.batch_size / strategy.num_replicas_in_sync
        operations = 6.0 * multiply_adds(model) * share  # forward, twice that back
        wanted = min(MOST_STEPS, int(LONG_STEP / max(operations, 1.0)))
    else:
        wanted = recipe.steps_per_execution
    return max((n for n in range(1, wanted + 1) if batches.steps % n == 0), default=1)
