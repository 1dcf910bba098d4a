# SPDX-License-Identifier: Apache-2.0
"""Calls every procedure of QuerierService in both encodings and prints what was answered."""

import re
import sys
import time

from google.protobuf import json_format, text_format

from pyroscope_protocol import CPU, QUERIER, Refused, Server, pb, pprof, profile, push

server = Server(sys.argv[1])
# Half an hour ago, at a full minute: what is printed has times relative to it.
BASE = (int(time.time()) - 1800) // 60 * 60_000
SPAN = "00f067aa0ba902b7"


def show(title, message):
    text = text_format.MessageToString(message)
    text = re.sub(r"\b(1\d{12})\b", lambda found: f"base+{int(found[1]) - BASE}", text)
    text = re.sub(r"\b(1\d{18})\b", lambda found: f"base+{int(found[1]) - BASE * 10**6}ns", text)
    text = re.sub(r'"[0-9a-f]{8}-[0-9a-f-]{27}"', '"<uuid>"', text)
    print(f"== {title}\n{text}", end="")


def ask(procedure, request, answer, title=""):
    result = server.both(QUERIER + procedure, request, answer)
    show(f"{procedure} {title}".strip(), result)
    return result


# Nothing is there yet: every answer is empty, and none is an error.
empty = server.send("/" + QUERIER + "ProfileTypes", pb.ProfileTypesRequest(
    start=1000, end=4000).SerializeToString(), Content_Type="application/proto")
assert empty[1] == b"" and empty[0]["Content-Type"] == "application/proto", empty
RANGE = dict(start=BASE, end=BASE + 60_000)
STACKS = dict(profile_typeID=CPU, label_selector='{service_name="a"}', **RANGE)
ask("ProfileTypes", pb.ProfileTypesRequest(), pb.ProfileTypesResponse, "of nothing")
ask("SelectMergeStacktraces", pb.SelectMergeStacktracesRequest(**STACKS),
    pb.SelectMergeStacktracesResponse, "of nothing")
assert server.both(QUERIER + "SelectMergeProfile", pb.SelectMergeProfileRequest(**STACKS),
                   pprof.Profile).ByteSize() == 0
ask("GetProfileStats", pb.GetProfileStatsRequest(), pb.GetProfileStatsResponse, "of nothing")

push(server, "a", profile({"a;b": 3, "a;c": 5}, BASE), region="eu", **{"otel.scope": "x"})
push(server, "a", profile({"a": 2, "d": 4}, BASE + 15_000, spans={"d": SPAN}), region="us")
push(server, "b", profile({"a;b": 100}, BASE + 60_000), region="eu")

ask("ProfileTypes", pb.ProfileTypesRequest(**RANGE), pb.ProfileTypesResponse)
ask("LabelNames", pb.LabelNamesRequest(**RANGE), pb.LabelNamesResponse)
capable = server.proto(QUERIER + "LabelNames", pb.LabelNamesRequest(**RANGE),
                       pb.LabelNamesResponse, Accept="*/*;allow-utf8-labelnames=true")
assert "otel.scope" in capable.names
ask("LabelNames", pb.LabelNamesRequest(matchers=['{service_name="b"}', '{region="us"}'], **RANGE),
    pb.LabelNamesResponse, "of matchers that contradict each other")
ask("LabelValues", pb.LabelValuesRequest(name="region", **RANGE), pb.LabelValuesResponse)
ask("LabelValues", pb.LabelValuesRequest(name="__profile_type__", matchers=['{service_name="a"}']),
    pb.LabelValuesResponse, "without a range")
ask("Series", pb.SeriesRequest(label_names=["service_name", "__profile_type__"], **RANGE),
    pb.SeriesResponse, "for Drilldown")
ask("Series", pb.SeriesRequest(matchers=['{service_name="b"}'], **RANGE), pb.SeriesResponse, "whole")
ask("Series", pb.SeriesRequest(label_names=["none"], **RANGE), pb.SeriesResponse, "of no label")

STACKTRACES = (pb.SelectMergeStacktracesRequest, pb.SelectMergeStacktracesResponse)


def stacks(title, **more):
    return ask("SelectMergeStacktraces", STACKTRACES[0](**{**STACKS, **more}), STACKTRACES[1], title)


stacks("as the protocol's example")
stacks("of two nodes", max_nodes=2)
stacks("as tree", format="PROFILE_FORMAT_TREE")
stacks("as graph", format="PROFILE_FORMAT_DOT")
stacks("as pprof", format="PROFILE_FORMAT_PPROF")
stacks("at a call site", stack_trace_selector=pb.StackTraceSelector(
    call_site=[pb.CallSiteLocation(name="a"), pb.CallSiteLocation(name="c")]))
stacks("for a compiler", stack_trace_selector=pb.StackTraceSelector(
    go_pgo=pb.GoPGO(keep_locations=1)), format="PROFILE_FORMAT_TREE")
stacks("of no trace", trace_id_selector=["0af7651916cd43dd8448eb211c80319c"])
SPANS = dict(profile_typeID=CPU, label_selector="{}", **RANGE)
span = server.both(QUERIER + "SelectMergeSpanProfile", pb.SelectMergeSpanProfileRequest(
    span_selector=[SPAN], **SPANS), pb.SelectMergeSpanProfileResponse)
assert span.flamegraph.total == 4, span
ask("SelectMergeSpanProfile", pb.SelectMergeSpanProfileRequest(**SPANS),
    pb.SelectMergeSpanProfileResponse, "of no span")
ask("SelectMergeProfile", pb.SelectMergeProfileRequest(**STACKS), pprof.Profile)
ask("Diff", pb.DiffRequest(
    left=STACKTRACES[0](**STACKS),
    right=STACKTRACES[0](**{**STACKS, "label_selector": '{service_name="b"}'})), pb.DiffResponse)

SERIES = dict(profile_typeID=CPU, label_selector="{}", step=15, **RANGE)


def series(title, **more):
    return ask("SelectSeries", pb.SelectSeriesRequest(**{**SERIES, **more}),
               pb.SelectSeriesResponse, title)


series("of everything")
series("by service", group_by=["service_name"])
series("by two labels, the first only", group_by=["service_name", "region"], limit=1)
series("as average", step=60, aggregation="TIME_SERIES_AGGREGATION_TYPE_AVERAGE")
series("at a call site", stack_trace_selector=pb.StackTraceSelector(
    call_site=[pb.CallSiteLocation(name="a"), pb.CallSiteLocation(name="b")]))
found = series("with examples", group_by=["service_name"], step=60,
               exemplar_type="EXEMPLAR_TYPE_INDIVIDUAL")
# An example's id leads to its profile.
example = found.series[1].points[0].exemplars[0]
only = server.both(QUERIER + "SelectMergeStacktraces", STACKTRACES[0](
    **STACKS, profile_id_selector=[example.profile_id]), STACKTRACES[1])
assert only.flamegraph.total == example.value == 8, (only, example)

HEAT = dict(profile_typeID=CPU, label_selector="{}", step=30, **RANGE)
ask("SelectHeatmap", pb.SelectHeatmapRequest(
    query_type="HEATMAP_QUERY_TYPE_INDIVIDUAL", group_by=["service_name"],
    exemplar_type="EXEMPLAR_TYPE_INDIVIDUAL", **HEAT), pb.SelectHeatmapResponse)
server.both(QUERIER + "SelectHeatmap", pb.SelectHeatmapRequest(
    query_type="HEATMAP_QUERY_TYPE_SPAN", exemplar_type="EXEMPLAR_TYPE_SPAN", **HEAT),
    pb.SelectHeatmapResponse)
stats = server.both(QUERIER + "GetProfileStats", pb.GetProfileStatsRequest(),
                    pb.GetProfileStatsResponse)
assert stats.data_ingested, stats
assert stats.oldest_profile_time == BASE, stats
assert stats.newest_profile_time == BASE + 60_000, stats
impact = server.both(QUERIER + "AnalyzeQuery", pb.AnalyzeQueryRequest(
    query=CPU + '{service_name="a"}', **RANGE), pb.AnalyzeQueryResponse)
# How many bytes that is depends on the library that compresses them.
scope = impact.query_scopes[0]
assert 0 < scope.profile_bytes < 100_000 and 0 < scope.symbol_bytes < 100_000, impact
assert impact.query_impact.total_bytes_in_time_range == scope.profile_bytes + scope.symbol_bytes
scope.profile_bytes = scope.symbol_bytes = impact.query_impact.total_bytes_in_time_range = 0
show("AnalyzeQuery", impact)
nothing = server.both(QUERIER + "AnalyzeQuery", pb.AnalyzeQueryRequest(
    query='{service_name="nobody"}', **RANGE), pb.AnalyzeQueryResponse)
assert nothing.query_scopes[0].profile_count == nothing.query_scopes[0].series_count == 0, nothing


def call(procedure, request, answer, title=""):
    result = server.both(procedure, request, answer)
    show(f"{procedure} {title}".strip(), result)


SETTINGS = "settings.v1.SettingsService/"
call(SETTINGS + "Get", pb.GetSettingsRequest(), pb.GetSettingsResponse, "before")
call(SETTINGS + "Set", pb.SetSettingsRequest(setting=pb.Setting(
    name="pluginSettings", value='{"maxNodes":16384}', modifiedAt=BASE)), pb.SetSettingsResponse)
call(SETTINGS + "Get", pb.GetSettingsRequest(), pb.GetSettingsResponse)
call(SETTINGS + "Delete", pb.DeleteSettingsRequest(name="pluginSettings"), pb.DeleteSettingsResponse)
call(SETTINGS + "Get", pb.GetSettingsRequest(), pb.GetSettingsResponse, "after")
call("capabilities.v1.FeatureFlagsService/GetFeatureFlags", pb.GetFeatureFlagsRequest(),
     pb.GetFeatureFlagsResponse)
call("version.v1.Version/Version", pb.VersionRequest(), pb.VersionResponse)


def refused(title, procedure, body, **headers):
    try:
        server.send("/" + procedure, body, **headers)
    except Refused as error:
        print(f"== {title}\n{error.status} {error.code}")
        for name in ("Accept-Post", "Allow"):
            if error.headers[name]:
                print(f"{name}: {error.headers[name]}")
        if error.headers["Accept-Encoding"]:
            print(f"Accept-Encoding: {error.headers['Accept-Encoding']}")
        return
    raise AssertionError(title)


def wrong(title, request, procedure="SelectMergeStacktraces"):
    refused(title, QUERIER + procedure, request.SerializeToString(), Content_Type="application/proto")


wrong("a selector that cannot be read", STACKTRACES[0](**{**STACKS, "label_selector": "{a="}))
wrong("a type of four parts", STACKTRACES[0](**{**STACKS, "profile_typeID": "a:b:c:d"}))
wrong("no range", STACKTRACES[0](profile_typeID=CPU))
wrong("a range that ends before it begins", STACKTRACES[0](profile_typeID=CPU, start=2, end=1))
wrong("too many nodes", STACKTRACES[0](**STACKS, max_nodes=1_048_577))
wrong("fewer than no nodes", STACKTRACES[0](**STACKS, max_nodes=-1))
wrong("a span id of seven digits", STACKTRACES[0](**STACKS, span_selector=["1234567"]))
wrong("spans and traces", STACKTRACES[0](
    **STACKS, span_selector=[SPAN], trace_id_selector=["0af7651916cd43dd8448eb211c80319c"]))
wrong("a step of nothing", pb.SelectSeriesRequest(profile_typeID=CPU, **RANGE), "SelectSeries")
wrong("a heatmap of one moment", pb.SelectHeatmapRequest(
    profile_typeID=CPU, start=BASE, end=BASE, step=1), "SelectHeatmap")
wrong("two types", pb.DiffRequest(left=STACKTRACES[0](**STACKS), right=STACKTRACES[0](
    **{**STACKS, "profile_typeID": "memory:alloc_space:bytes::"})), "Diff")
TYPES = QUERIER + "ProfileTypes"
refused("another content type", TYPES, b"", Content_Type="text/plain")
refused("an empty body of JSON", TYPES, b"", Content_Type="application/json")
refused("bytes that are no message", TYPES, b"\xff\xff", Content_Type="application/proto")
refused("another version of the protocol", TYPES, b"", Content_Type="application/proto",
        Connect_Protocol_Version="2")
refused("a time that is no number", TYPES, b"", Content_Type="application/proto",
        Connect_Timeout_Ms="soon")
refused("another compression", TYPES, b"x", Content_Type="application/proto", Content_Encoding="br")
refused("a procedure that does not exist", QUERIER + "Nothing", b"", Content_Type="application/proto")
refused("a service that does not exist", "vcs.v1.VCSService/GithubApp", b"{}",
        Content_Type="application/json")
refused("the method GET", TYPES + "?connect=v1", None)
refused("more than is taken", TYPES, b"\x00" * (2 << 20), Content_Type="application/proto")
print("done")
