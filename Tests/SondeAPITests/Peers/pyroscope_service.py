# SPDX-License-Identifier: Apache-2.0
# A service under Pyroscope's own SDK: spends its time in one function until it is ended.
# Usage: pyroscope_service.py ADDRESS TOKEN   (an empty token for none)
import sys
import threading
import time

import pyroscope

address, token = sys.argv[1], sys.argv[2]
pyroscope.configure(
    application_name="peer",
    server_address=address,
    basic_auth_username="peer" if token else "",
    basic_auth_password=token,
    cpu_enabled=True,
    upload_interval=1,
    tags={"region": "eu-1"},
)


def hot_function_of_the_peer(until):
    total = 0
    while time.monotonic() < until:
        total += sum(range(200))
    return total


# Its own deadline, should nobody end it.
end = time.monotonic() + 60
print("running", flush=True)
while time.monotonic() < end:
    hot_function_of_the_peer(time.monotonic() + 0.2)
