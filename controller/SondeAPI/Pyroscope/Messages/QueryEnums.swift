// SPDX-License-Identifier: Apache-2.0
// The enumerations of QuerierService's messages, with the names that JSON has for them.
// Source: grafana/pyroscope, api/querier/v1/querier.proto and api/types/v1/types.proto.

/// In which form merged stacks are wanted.
enum StacktracesFormat: Int, ConnectEnum {
    case unspecified, flamegraph, tree, dot, pprof

    var name: String {
        switch self {
        case .unspecified: "PROFILE_FORMAT_UNSPECIFIED"
        case .flamegraph: "PROFILE_FORMAT_FLAMEGRAPH"
        case .tree: "PROFILE_FORMAT_TREE"
        case .dot: "PROFILE_FORMAT_DOT"
        case .pprof: "PROFILE_FORMAT_PPROF"
        }
    }
}

/// How the profiles of a step become one value.
enum SeriesAggregation: Int, ConnectEnum {
    case sum, average

    var name: String {
        switch self {
        case .sum: "TIME_SERIES_AGGREGATION_TYPE_SUM"
        case .average: "TIME_SERIES_AGGREGATION_TYPE_AVERAGE"
        }
    }
}

/// Which examples come with values.
enum ExemplarType: Int, ConnectEnum {
    case unspecified, none, individual, span

    var name: String {
        switch self {
        case .unspecified: "EXEMPLAR_TYPE_UNSPECIFIED"
        case .none: "EXEMPLAR_TYPE_NONE"
        case .individual: "EXEMPLAR_TYPE_INDIVIDUAL"
        case .span: "EXEMPLAR_TYPE_SPAN"
        }
    }
}

/// Of what the distribution is.
enum HeatmapQueryType: Int, ConnectEnum {
    case unspecified, individual, span

    var name: String {
        switch self {
        case .unspecified: "HEATMAP_QUERY_TYPE_UNSPECIFIED"
        case .individual: "HEATMAP_QUERY_TYPE_INDIVIDUAL"
        case .span: "HEATMAP_QUERY_TYPE_SPAN"
        }
    }
}
