"""A module that never finishes being imported; a creator of it is named by tests."""

from __future__ import annotations

import time

while True:
    time.sleep(3600)
