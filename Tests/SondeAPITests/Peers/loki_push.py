# SPDX-License-Identifier: Apache-2.0
# Pushes lines as others write them: python-logging-loki, and Loki's protobuf by Google's library
# with snappy by python-snappy's cramjam. Usage: loki_push.py ADDRESS
import logging
import sys
import time
import urllib.request

import cramjam
import logging_loki
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

address = sys.argv[1]
push = address + "/loki/api/v1/push"

handler = logging_loki.LokiHandler(url=push, tags={"application": "peer"}, version="1")
logger = logging.getLogger("peer")
logger.addHandler(handler)
logger.error("from logging_loki: %s", 'a "quoted" ü', extra={"tags": {"kind": "json"}})

FIELD = descriptor_pb2.FieldDescriptorProto


def message(file, name, fields):
    made = file.message_type.add(name=name)
    for field, number, kind, repeated in fields:
        entry = made.field.add(
            name=field,
            number=number,
            label=FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL,
        )
        if isinstance(kind, str):
            entry.type, entry.type_name = FIELD.TYPE_MESSAGE, kind
        else:
            entry.type = kind


pool = descriptor_pool.DescriptorPool()
stamp = descriptor_pb2.FileDescriptorProto()
timestamp_pb2.DESCRIPTOR.CopyToProto(stamp)
pool.Add(stamp)
file = descriptor_pb2.FileDescriptorProto(
    name="logproto.proto", package="logproto", syntax="proto3", dependency=[stamp.name]
)
TEXT = FIELD.TYPE_STRING
message(file, "LabelPairAdapter", [("name", 1, TEXT, False), ("value", 2, TEXT, False)])
message(
    file,
    "EntryAdapter",
    [
        ("timestamp", 1, ".google.protobuf.Timestamp", False),
        ("line", 2, TEXT, False),
        ("structuredMetadata", 3, ".logproto.LabelPairAdapter", True),
    ],
)
message(
    file,
    "StreamAdapter",
    [
        ("labels", 1, TEXT, False),
        ("entries", 2, ".logproto.EntryAdapter", True),
        ("hash", 3, FIELD.TYPE_UINT64, False),
    ],
)
message(file, "PushRequest", [("streams", 1, ".logproto.StreamAdapter", True)])
pool.Add(file)
PushRequest = message_factory.GetMessageClass(pool.FindMessageTypeByName("logproto.PushRequest"))

request = PushRequest()
stream = request.streams.add(labels='{job="peer", path="C:\\\\x \\"y\\""}', hash=12345)
now = time.time_ns()
for number in range(3):
    entry = stream.entries.add(line=f"from protobuf {number}")
    entry.timestamp.seconds, entry.timestamp.nanos = divmod(now + number, 1_000_000_000)
    entry.structuredMetadata.add(name="trace_id", value=f"t{number}")
body = bytes(cramjam.snappy.compress_raw(request.SerializeToString()))
call = urllib.request.Request(
    push,
    body,
    {"Content-Type": "application/x-protobuf", "X-Scope-OrgID": "tenant", "User-Agent": "peer"},
)
with urllib.request.urlopen(call, timeout=20) as answer:
    assert answer.status == 204, answer.status
print("done")
