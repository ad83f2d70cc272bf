"""What the processes of test_kills.py are forked from: all is imported here once.

TensorFlow has computed nothing yet and has no threads, which a fork would lose.
"""

from zoo.base.runtime import start_tensorflow

start_tensorflow()

import zoo.training.callbacks  # noqa: E402
import zoo.training.preparation  # noqa: E402
import zoo.training.trainer  # noqa: E402, F401
