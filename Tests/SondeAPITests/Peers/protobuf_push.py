# SPDX-License-Identifier: Apache-2.0
# Pushes a pprof as Google's protobuf library writes the request, in binary and in JSON.
# Usage: protobuf_push.py ADDRESS PPROF-FILE
import sys
import urllib.request

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

FIELD = descriptor_pb2.FieldDescriptorProto


def message(file, name, fields):
    made = file.message_type.add(name=name)
    for number, (field, kind, repeated) in enumerate(fields, start=1):
        entry = made.field.add(
            name=field,
            number=number,
            label=FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL,
        )
        if isinstance(kind, str):
            entry.type, entry.type_name = FIELD.TYPE_MESSAGE, ".push.v1." + kind
        else:
            entry.type = kind


file = descriptor_pb2.FileDescriptorProto(name="push.proto", package="push.v1", syntax="proto3")
message(file, "LabelPair", [("name", FIELD.TYPE_STRING, False), ("value", FIELD.TYPE_STRING, False)])
message(file, "RawSample", [("raw_profile", FIELD.TYPE_BYTES, False), ("ID", FIELD.TYPE_STRING, False)])
message(file, "RawProfileSeries", [("labels", "LabelPair", True), ("samples", "RawSample", True)])
message(file, "PushRequest", [("series", "RawProfileSeries", True)])
message(file, "PushResponse", [])
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
PushRequest = message_factory.GetMessageClass(pool.FindMessageTypeByName("push.v1.PushRequest"))
PushResponse = message_factory.GetMessageClass(pool.FindMessageTypeByName("push.v1.PushResponse"))

address, path = sys.argv[1], sys.argv[2]
request = PushRequest()
series = request.series.add()
series.labels.add(name="__name__", value="process_cpu")
series.labels.add(name="service_name", value="peer")
# A profile that comes again is stored once; these are of three series.
form = series.labels.add(name="form", value="binary")
series.samples.add(raw_profile=open(path, "rb").read(), ID="00000000-0000-0000-0000-000000000000")


def send(content_type, body):
    call = urllib.request.Request(
        address + "/push.v1.PusherService/Push", body, {"Content-Type": content_type}
    )
    with urllib.request.urlopen(call, timeout=20) as answer:
        assert answer.headers["Content-Type"] == content_type, answer.headers
        return answer.read()


PushResponse.FromString(send("application/proto", request.SerializeToString()))
for original_names in (False, True):
    form.value = "original names" if original_names else "names of JSON"
    text = json_format.MessageToJson(request, preserving_proto_field_name=original_names)
    json_format.Parse(send("application/json", text.encode()), PushResponse())
print("done")
