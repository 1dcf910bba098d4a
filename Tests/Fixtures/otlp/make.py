# SPDX-License-Identifier: Apache-2.0
"""Writes one OTLP profiles request with the classes of whichever opentelemetry-proto is installed.

    pip install opentelemetry-proto==1.45.2 && python make.py current     (protobuf and JSON)
    pip install opentelemetry-proto==1.42.0 && python make.py values-first
    pip install opentelemetry-proto==1.39.0 && python make.py too-old
"""
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.profiles.v1development import profiles_service_pb2 as service
from opentelemetry.proto.profiles.v1development import profiles_pb2 as p

name = sys.argv[1]
request = service.ExportProfilesServiceRequest()
tables = request.dictionary
strings = [
    "", "samples", "count", "cpu", "nanoseconds", "/usr/bin/shop", "main", "Checkout.pay", "_pay",
    "Checkout.swift", "inlined", "service.name", "thread.name", "process.executable.build_id.gnu",
]
tables.string_table.extend(strings)
index = strings.index


def attribute(key, value):
    entry = tables.attribute_table.add()
    if hasattr(entry, "key_strindex"):
        entry.key_strindex = index(key) if key else 0
    else:
        entry.key = key
    if value:
        entry.value.string_value = value
    return len(tables.attribute_table) - 1


attribute("", "")
checkout = attribute("service.name", "checkout")
thread = attribute("thread.name", "worker-1")
build = attribute("process.executable.build_id.gnu", "ab12cd34")

tables.mapping_table.add()
tables.mapping_table.add(
    memory_start=0x400000, memory_limit=0x500000, file_offset=0x1000,
    filename_strindex=index("/usr/bin/shop"), attribute_indices=[build])
tables.function_table.add()
tables.function_table.add(name_strindex=index("main"))
tables.function_table.add(
    name_strindex=index("Checkout.pay"), system_name_strindex=index("_pay"),
    filename_strindex=index("Checkout.swift"), start_line=40)
tables.function_table.add(name_strindex=index("inlined"))
tables.link_table.add()
tables.link_table.add(trace_id=bytes(range(1, 17)), span_id=bytes(range(1, 9)))
tables.location_table.add()


def location(address, *functions):
    entry = tables.location_table.add(mapping_index=1, address=address)
    lines = entry.lines if hasattr(entry, "lines") else entry.line
    for function in functions:
        lines.add(function_index=function, line=42)


location(0x400010, 1)
location(0x400020, 3, 2)          # inlined into Checkout.pay
location(0x400030)                # an address inside the mapping
location(0xffffffff81000000)      # one outside
stacks = [[], [3, 2, 1], [2, 1], [4, 1]]

resource = request.resource_profiles.add()
for key, value in (("service.name", "shop"), ("host.name", "eu-1")):
    entry = resource.resource.attributes.add(key=key)
    entry.value.string_value = value
resource.resource.attributes.add(key="process.pid").value.int_value = 7
scope = resource.scope_profiles.add()
scope.scope.name = "demo"
scope.scope.version = "1.2"
profile = scope.profiles.add()
old = not hasattr(profile, "samples")
kind = profile.sample_type.add() if old else profile.sample_type
kind.type_strindex, kind.unit_strindex = index("samples"), index("count")
profile.period_type.type_strindex = index("cpu")
profile.period_type.unit_strindex = index("nanoseconds")
profile.period = 10_000_000
profile.profile_id = bytes(range(16))
if old:
    profile.time_nanos, profile.duration_nanos = 1_700_000_000_000_000_000, 10_000_000_000
else:
    profile.time_unix_nano, profile.duration_nano = 1_700_000_000_000_000_000, 10_000_000_000

# stack, values, timestamps, attributes, link
samples = [
    (1, [3], 0, [thread], 0),
    (2, [2, 3], 2, [thread, checkout], 1),
    (3, [], 4, [thread], 0),
    (1, [1], 0, [], 1),
]
if not old:
    for stack in stacks:
        tables.stack_table.add(location_indices=stack)
for stack, values, times, attributes, link in samples:
    stamps = [1_700_000_000_000_000_000 + n for n in range(times)]
    if old:
        start = len(profile.location_indices)
        profile.location_indices.extend(stacks[stack])
        profile.sample.add(
            locations_start_index=start, locations_length=len(stacks[stack]), value=values,
            timestamps_unix_nano=stamps, attribute_indices=attributes, link_index=link)
    else:
        profile.samples.add(
            stack_index=stack, values=values, timestamps_unix_nano=stamps,
            attribute_indices=attributes, link_index=link)

with open(name + ".pb", "wb") as file:
    file.write(request.SerializeToString())
if name == "current":
    with open(name + ".json", "w") as file:
        file.write(json_format.MessageToJson(request, indent=1) + "\n")
