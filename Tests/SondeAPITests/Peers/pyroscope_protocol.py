# SPDX-License-Identifier: Apache-2.0
"""What the scripts here share: Pyroscope's messages as Google's own classes, and calls with them."""

import gzip
import json
import os
import sys
import tempfile
import urllib.error
import urllib.request

from google.protobuf import json_format
from grpc_tools import protoc

_here = os.path.dirname(os.path.abspath(__file__))
_made = tempfile.TemporaryDirectory()
if protoc.main(["protoc", f"-I{_here}/proto", f"--python_out={_made.name}",
                "profile.proto", "querier.proto"]) != 0:
    sys.exit("cannot compile the .proto files")
sys.path.insert(0, _made.name)
import profile_pb2 as pprof  # noqa: E402
import querier_pb2 as pb  # noqa: E402

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
QUERIER = "querier.v1.QuerierService/"


class Refused(Exception):
    """An answer that is an error, in Connect's form."""

    def __init__(self, status, headers, body):
        super().__init__(f"{status} {body[:300]!r}")
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def code(self):
        return json.loads(self.body).get("code")


class Server:
    """A controller's URL, and requests to it."""

    def __init__(self, url, token=""):
        self.url = url
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def send(self, path, body=None, **headers):
        request = urllib.request.Request(self.url + path, data=body)
        for name, value in {**self.headers, **headers}.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                data = answer.read()
                if answer.headers.get("Content-Encoding") == "gzip":
                    data = gzip.decompress(data)
                return answer.headers, data
        except urllib.error.HTTPError as error:
            raise Refused(error.code, error.headers, error.read()) from None

    def proto(self, procedure, message, answer, **headers):
        """Calls as connect-go does."""
        fields = {"Content-Type": "application/proto", "Connect-Protocol-Version": "1",
                  "Accept-Encoding": "gzip", "User-Agent": "connect-go/1.18.1", **headers}
        got, data = self.send("/" + procedure, message.SerializeToString(), **fields)
        assert got["Content-Type"] == "application/proto", got
        result = answer()
        result.ParseFromString(data)
        unknown(result)
        return result

    def json(self, procedure, message, answer, snake_case=False, **headers):
        """Calls as connect-web does; the answer is read strictly."""
        body = json_format.MessageToDict(message, preserving_proto_field_name=snake_case)
        fields = {"Content-Type": "application/json", **headers}
        got, data = self.send("/" + procedure, json.dumps(body).encode(), **fields)
        assert got["Content-Type"] == "application/json", got
        result = json_format.Parse(data, answer())
        # Not a byte more or less than protobuf's own library would have written.
        mine = json_format.MessageToDict(result)
        assert mine == json.loads(data), (mine, data)
        return result

    def both(self, procedure, message, answer):
        """Calls in both encodings: the answers have to be one."""
        binary = self.proto(procedure, message, answer)
        assert binary == self.json(procedure, message, answer), procedure
        assert binary == self.json(procedure, message, answer, snake_case=True), procedure
        return binary


def unknown(message):
    """No answer holds a field that its definition does not have."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.DiscardUnknownFields()
    assert copy.ByteSize() == message.ByteSize(), f"unknown fields in {type(message).__name__}"


def profile(stacks, at_ms, spans=None):
    """A pprof of CPU time with stacks such as {"a;b": 3}."""
    result = pprof.Profile(string_table=[""], time_nanos=at_ms * 1_000_000,
                           duration_nanos=10_000_000_000, period=10_000_000)
    strings = {"": 0}

    def index(text):
        if text not in strings:
            strings[text] = len(strings)
            result.string_table.append(text)
        return strings[text]

    result.sample_type.add(type=index("cpu"), unit=index("nanoseconds"))
    result.period_type.type = index("cpu")
    result.period_type.unit = index("nanoseconds")
    places = {}
    for stack, value in stacks.items():
        sample = result.sample.add(value=[value])
        if spans and stack in spans:
            sample.label.add(key=index("span_id"), str=index(spans[stack]))
        for name in reversed(stack.split(";")):
            if name not in places:
                places[name] = len(places) + 1
                result.function.add(id=places[name], name=index(name),
                                    system_name=index(name), filename=index(name + ".go"))
                line = result.location.add(id=places[name]).line.add()
                line.function_id = places[name]
            sample.location_id.append(places[name])
    return result.SerializeToString()


def push(server, service, raw, **labels):
    series = pb.RawProfileSeries()
    for name, value in {"__name__": "process_cpu", "service_name": service, **labels}.items():
        series.labels.add(name=name, value=value)
    series.samples.add(raw_profile=gzip.compress(raw))
    server.proto("push.v1.PusherService/Push", pb.PushRequest(series=[series]), pb.PushResponse)
