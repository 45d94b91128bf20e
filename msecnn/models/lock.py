"""One lock around every model call of the process: Captum's hooks make a model shared by threads crash."""

import threading

MODEL_LOCK = threading.RLock()
