"""Starting TensorFlow: quietly, with the devices, the precision and the seed that are asked for."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zoo.base.errors import UsageError


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to file descriptor 2; show it if the body raises."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:  # not Ctrl-C: nobody asks what was held back then
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


def start_tensorflow() -> Any:
    """Import TensorFlow and Keras without their start-up noise and return TensorFlow.

    TensorFlow writes to file descriptor 2 before its logging can be configured, so the descriptor
    itself is held back during the import; if the import fails, what it said is shown.
    """
    if "tensorflow" in sys.modules and "keras" in sys.modules:
        return sys.modules["tensorflow"]
    # What is an error to the program is raised; what is only logged as one (such as a kernel that
    # oneDNN lacks on this processor) is nothing to a user. `dlzoo --debug` sets 0.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with quiet_stderr():
        import keras  # noqa: F401  (imported here so that its noise is held back too)
        import tensorflow as tf

        tf.config.list_physical_devices()  # the drivers' messages come with the first look
    tf.get_logger().setLevel("ERROR")
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    return tf


def claim_devices(count: int | None) -> list[str]:
    """Return the names of the devices to compute on: all GPUs, or else the CPU.

    Args:
        count: How many are wanted; None takes every GPU, or the one CPU. Without GPUs, several
            logical CPU devices are made, which is how mirrored training is tried on any machine.

    Raises:
        UsageError: There are fewer GPUs than that, or the CPU was divided otherwise before.
    """
    tf = start_tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if count is not None and count > len(gpus):
            raise UsageError(f"{count} devices were asked for; this machine has {len(gpus)} GPUs.")
        return [f"GPU:{index}" for index in range(count or len(gpus))]
    wanted = count or 1
    cpu = tf.config.list_physical_devices("CPU")[0]
    if wanted > 1:
        try:
            tf.config.set_logical_device_configuration(
                cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(wanted)]
            )
        except RuntimeError:  # already initialised: good if there are enough of them
            available = len(tf.config.list_logical_devices("CPU"))
            if available < wanted:
                raise UsageError(
                    f"{wanted} CPU devices were asked for after TensorFlow had started with "
                    f"{available}; ask for them before the first training of this process."
                ) from None
    return [f"CPU:{index}" for index in range(wanted)]


def precision_policy(precision: str, *, allow_mixed: bool) -> str:
    """Return the Keras dtype policy for a recipe's ``precision``.

    Args:
        precision: ``"auto"`` or a Keras policy's name. ``"auto"`` is ``mixed_float16`` on GPUs
            with tensor cores (compute capability 7.0 and up), and ``float32`` elsewhere.
        allow_mixed: False for families that mixed precision does not suit.
    """
    if precision != "auto":
        return precision
    tf = start_tensorflow()
    gpus = tf.config.list_physical_devices("GPU")
    capabilities = [
        tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
        for gpu in gpus
    ]
    tensor_cores = bool(capabilities) and all(found >= (7, 0) for found in capabilities)
    return "mixed_float16" if allow_mixed and tensor_cores else "float32"
