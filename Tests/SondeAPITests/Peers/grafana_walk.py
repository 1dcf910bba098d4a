# SPDX-License-Identifier: Apache-2.0
"""Makes the calls that Grafana makes: its data source, Profiles Drilldown, our own dashboard."""

import glob
import json
import sys
import time
import urllib.parse

from pyroscope_protocol import CPU, QUERIER, Server, pb, pprof, profile, push

url, dashboards = sys.argv[1:3]
server = Server(url)
NOW = int(time.time() * 1000)
RANGE = dict(start=NOW - 900_000, end=NOW)
push(server, "shop", profile({"main;work": 70, "main;idle": 30}, NOW - 60_000), instance="i1")
push(server, "mail", profile({"main;send": 10}, NOW - 50_000), instance="i2")

# The data source's backend (connect-go, protobuf).
grafana = {"User-Agent": "connect-go/1.18.1 (go1.25)", "Accept-Encoding": "gzip",
           "X-Grafana-Org-Id": "1"}


def backend(procedure, request, answer, **headers):
    return server.proto(QUERIER + procedure, request, answer, **grafana, **headers)


backend("ProfileTypes", pb.ProfileTypesRequest(start=1000, end=4000), pb.ProfileTypesResponse)
backend("ProfileTypes", pb.ProfileTypesRequest(), pb.ProfileTypesResponse)
types = backend("ProfileTypes", pb.ProfileTypesRequest(**RANGE), pb.ProfileTypesResponse)
assert [one.ID for one in types.profile_types] == [CPU]
one = types.profile_types[0]
assert (one.name, one.sample_type, one.sample_unit) == ("process_cpu", "cpu", "nanoseconds")
names = backend("LabelNames", pb.LabelNamesRequest(
    matchers=['{service_name="shop"}'], **RANGE), pb.LabelNamesResponse)
assert [name for name in names.names if not name.startswith("__")] == ["instance", "service_name"]
values = backend("LabelValues", pb.LabelValuesRequest(
    name="instance", matchers=['{service_name="shop"}'], **RANGE), pb.LabelValuesResponse)
assert list(values.names) == ["i1"]
series = backend("SelectSeries", pb.SelectSeriesRequest(
    profile_typeID=CPU, label_selector='{service_name="shop"}', step=15, group_by=[],
    exemplar_type="EXEMPLAR_TYPE_NONE", **RANGE), pb.SelectSeriesResponse)
assert len(series.series) == 1 and not series.series[0].labels
assert sum(point.value for point in series.series[0].points) == 100
assert all((point.timestamp - RANGE["start"]) % 15_000 == 0 for point in series.series[0].points)
flame = backend("SelectMergeStacktraces", pb.SelectMergeStacktracesRequest(
    profile_typeID=CPU, label_selector='{service_name="shop"}', max_nodes=16384, **RANGE),
    pb.SelectMergeStacktracesResponse).flamegraph
assert flame.total == 100 and flame.names[0] == "total" and len(flame.levels) == 3
backend("SelectMergeSpanProfile", pb.SelectMergeSpanProfileRequest(
    profile_typeID=CPU, label_selector="{}", span_selector=["00f067aa0ba902b7"], **RANGE),
    pb.SelectMergeSpanProfileResponse)
backend("SelectHeatmap", pb.SelectHeatmapRequest(
    profile_typeID=CPU, label_selector="{}", step=15, query_type="HEATMAP_QUERY_TYPE_INDIVIDUAL",
    **RANGE), pb.SelectHeatmapResponse)
build = json.loads(server.send("/api/v1/status/buildinfo")[1])
assert build["data"]["version"]

# Profiles Drilldown (the browser through Grafana's proxy, JSON).
browser = {"content-type": "application/json", "X-Grafana-Org-Id": "1"}


def drilldown(path, body):
    return json.loads(server.send("/" + path, json.dumps(body).encode(), **browser)[1])


landing = drilldown(QUERIER + "Series", {
    "labelNames": ["service_name", "__profile_type__"], "matchers": [], **RANGE})
pairs = [{label["name"]: label["value"] for label in labels["labels"]}
         for labels in landing["labelsSet"]]
assert {"service_name": "shop", "__profile_type__": CPU} in pairs and len(pairs) == 2, pairs
assert drilldown(QUERIER + "GetProfileStats", {})["dataIngested"] is True
chosen = '{__profile_type__="%s",service_name="shop",}' % CPU
assert "instance" in drilldown(QUERIER + "LabelNames", {"matchers": [chosen], **RANGE})["names"]
assert drilldown(QUERIER + "LabelValues", {
    "name": "instance", "matchers": [chosen], **RANGE})["names"] == ["i1"]
got = drilldown(QUERIER + "SelectMergeProfile", {
    "profileTypeID": CPU, "labelSelector": '{service_name="shop"}', **RANGE,
    "stackTraceSelector": {"call_site": [{"name": "main"}, {"name": "work"}]}})
assert [sample["value"] for sample in got["sample"]] == [["70"]], got
body = pb.SelectMergeProfileRequest(profile_typeID=CPU, label_selector="{}", **RANGE)
assert len(server.proto(QUERIER + "SelectMergeProfile", body, pprof.Profile).sample) == 3
assert drilldown("settings.v1.SettingsService/Get", {}) == {}
set_ = drilldown("settings.v1.SettingsService/Set", {
    "setting": {"name": "pluginSettings", "value": "{}", "modifiedAt": str(NOW)}})
assert set_["setting"]["name"] == "pluginSettings"
flags = drilldown("capabilities.v1.FeatureFlagsService/GetFeatureFlags", {})
assert flags["featureFlags"][0]["name"] == "utf8LabelNames"


def get(path, **query):
    return server.send(path + "?" + urllib.parse.urlencode(query))[1]


query = CPU + '{service_name="shop"}'
render = json.loads(get("/pyroscope/render", query=query, **{
    "from": RANGE["start"], "until": RANGE["end"], "format": "json", "max-nodes": 100,
    "groupBy": "instance"}))
assert render["version"] == 1 and render["flamebearer"]["numTicks"] == 100
assert render["flamebearer"]["names"][0] == "total"
assert render["metadata"] == {"format": "single", "spyName": "", "sampleRate": 10**9,
                              "units": "samples", "name": "cpu"}
timeline = render["timeline"]
assert timeline["durationDelta"] == 15 and timeline["startTime"] % 15 == 0
assert sum(timeline["samples"]) == 100 and list(render["groups"]) == ["i1"]
assert render["groups"]["i1"] == timeline
assert get("/pyroscope/render", query=query, format="dot").startswith(b"digraph")
diff = json.loads(get("/pyroscope/render-diff", leftQuery=query, rightQuery=CPU + "{}"))
assert diff["metadata"]["format"] == "double"
assert (diff["leftTicks"], diff["rightTicks"]) == (100, 110)
assert all(len(level) % 7 == 0 for level in diff["flamebearer"]["levels"])
assert json.loads(get("/pyroscope/label-values", label="__name__")) == [CPU]

# Our own dashboard: every query in it is answered.
asked = 0
for path in glob.glob(dashboards + "/*.json"):
    with open(path) as file:
        board = json.load(file)
    for variable in board["templating"]["list"]:
        kind = variable["query"]["type"]
        found = ([one.ID for one in types.profile_types] if kind == "profileType" else
                 backend("LabelValues", pb.LabelValuesRequest(
                     name=variable["query"]["labelName"],
                     matchers=['{__profile_type__="%s"}' % CPU], **RANGE),
                     pb.LabelValuesResponse).names)
        assert "shop" in found or CPU in found, variable
    for panel in board["panels"]:
        for target in panel["targets"]:
            text = json.dumps(target).replace("$service", "shop").replace("$type", CPU)
            target = json.loads(text)
            asked += 1
            if target["datasource"]["type"] == "loki":
                lines = json.loads(get("/loki/api/v1/query_range", query=target["expr"],
                                       direction=target["direction"], start=RANGE["start"] * 10**6,
                                       end=RANGE["end"] * 10**6, limit=target["maxLines"],
                                       step="15000ms"))
                assert lines["data"]["resultType"] == "streams"
            elif target["queryType"] == "metrics":
                points = backend("SelectSeries", pb.SelectSeriesRequest(
                    profile_typeID=target["profileTypeId"], label_selector=target["labelSelector"],
                    group_by=target["groupBy"], step=15, **RANGE), pb.SelectSeriesResponse)
                assert points.series[0].labels[0].value == "i1"
            else:
                stacks = backend("SelectMergeStacktraces", pb.SelectMergeStacktracesRequest(
                    profile_typeID=target["profileTypeId"], max_nodes=target["maxNodes"],
                    label_selector=target["labelSelector"], **RANGE),
                    pb.SelectMergeStacktracesResponse)
                assert stacks.flamegraph.total == 100
assert asked == 3, asked
print("done")
