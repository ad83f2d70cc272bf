"""The strategy of several workers, each a process of its own on this machine or on others."""

from __future__ import annotations

from typing import Any

from zoo.base.errors import UsageError, gist
from zoo.base.runtime import start_tensorflow
from zoo.training.cluster import Cluster

PORT = 8888
"""Of a Slurm node's first task; the next ones count up from it."""


def multi_worker_strategy(cluster: Cluster, devices: int | None) -> Any:
    """Return the strategy of this worker, once all workers have come.

    Args:
        cluster: See `zoo.training.cluster.find_cluster`.
        devices: How many GPUs of each worker to use; None takes all.

    Raises:
        UsageError: TensorFlow has computed something in this process before, or there are fewer
            devices than that.
    """
    tf = start_tensorflow()
    from zoo.training.keras_multi_worker import mend_keras

    gpus = tf.config.list_physical_devices("GPU")
    if devices is not None and devices > max(len(gpus), 1):
        raise UsageError(
            f"{devices} devices of each worker were asked for; this one has "
            f"{len(gpus)} GPUs. Start more workers instead: dlzoo launch --workers N"
        )
    try:
        if devices is not None and gpus:
            tf.config.set_visible_devices(gpus[:devices], "GPU")
        strategy = tf.distribute.MultiWorkerMirroredStrategy(_resolver(cluster))
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"worker {cluster.index} cannot join the others by {cluster.source}: {gist(error)}"
        ) from error
    mend_keras()
    return strategy


def _resolver(cluster: Cluster) -> Any:
    tf = start_tensorflow()
    kinds = tf.distribute.cluster_resolver
    if cluster.source == "TF_CONFIG":
        return kinds.TFConfigClusterResolver()
    # Slurm itself tells each task which GPUs are its own (srun --gpus-per-task).
    slurm = kinds.SlurmClusterResolver(
        port_base=PORT, gpus_per_node=0, gpus_per_task=0, auto_set_gpu=False
    )
    return kinds.SimpleClusterResolver(
        slurm.cluster_spec(), task_type="worker", task_id=cluster.index, rpc_layer="grpc"
    )
