# SPDX-License-Identifier: Apache-2.0
# Follows lines over a WebSocket, as Grafana does, with the client of the PyPI package websockets.
# Usage: loki_tail.py ADDRESS
import json
import sys
from urllib.parse import quote

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

address = sys.argv[1].replace("http", "ws", 1)
target = address + "/loki/api/v1/tail?query=" + quote('{service_name="shop"}') + "&limit=10"
headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
last = False
with connect(target, additional_headers=headers, open_timeout=20) as socket:
    try:
        while not last:
            message = json.loads(socket.recv(timeout=30))
            assert message["encodingFlags"] == ["categorize-labels"], message
            for stream in message["streams"]:
                assert stream["stream"] == {"service_name": "shop"}, message
                for time, line, more in stream["values"]:
                    assert int(time) > 0
                    trace = more["structuredMetadata"].get("trace_id", "")
                    print(line, trace) if trace else print(line)
                    last = line == "last"
        # A ping is answered, and so is the closing.
        assert socket.ping(b"are you there").wait(20)
    except ConnectionClosed as end:
        print("closed", end.rcvd.code)
