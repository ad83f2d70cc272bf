"""How long workers on this machine take to add up gradients: the bandwidth of docs/distributed.md.

python -m benchmarks.all_reduce --workers 2 --parameters 25557032
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

REPEATS = 7


def measure(parameters: int) -> None:
    """Print the median time of an all-reduce, as one of several workers."""
    from zoo.base.runtime import start_tensorflow
    from zoo.training.cluster import find_cluster
    from zoo.training.multi_worker import multi_worker_strategy

    tf = start_tensorflow()
    cluster = find_cluster()
    assert cluster is not None
    strategy = multi_worker_strategy(cluster, None)

    @tf.function
    def reduce() -> None:
        def replica() -> None:
            context = tf.distribute.get_replica_context()
            context.all_reduce(tf.distribute.ReduceOp.SUM, tf.ones([parameters]))

        strategy.run(replica)

    reduce()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        reduce()
        times.append(time.perf_counter() - began)
    if cluster.is_chief:
        seconds = statistics.median(times)
        moved = 2 * (cluster.workers - 1) / cluster.workers * 4 * parameters
        print(
            f"{cluster.workers} workers, {4 * parameters / 1e6:.1f} MB: {seconds * 1e3:.1f} ms "
            f"({min(times) * 1e3:.1f} to {max(times) * 1e3:.1f}), {moved / seconds / 1e9:.2f} GB/s"
        )


def main() -> None:
    """Start the workers, or be one of them."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--parameters", type=int, default=25_557_032, help="ResNet-50 has these")
    given = options.parse_args()
    if "TF_CONFIG" in os.environ:
        measure(given.parameters)
        return
    from zoo.training.launcher import Place, launch

    program = [sys.executable, "-m", "benchmarks.all_reduce"]
    arguments = ["--parameters", str(given.parameters)]
    place = Place(addresses=(), first=0, count=given.workers)
    sys.exit(launch(program, arguments, place, max_restarts=0, again=lambda run: arguments))


if __name__ == "__main__":
    main()
