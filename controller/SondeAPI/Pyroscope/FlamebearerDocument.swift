// SPDX-License-Identifier: Apache-2.0
// The JSON document in which Pyroscope's older endpoints answer flame graphs and timelines.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// A flamebearer document, version 1.
struct FlamebearerDocument: Sendable {
    /// The flame graph, of one selection or of two.
    var levels: FlameLevels
    /// What the values count.
    var type: ProfileType
    /// Whether the flame graph is of two selections.
    var isDiff = false
    /// The values over time; `nil` leaves them out.
    var timeline: Timeline?
    /// The values over time of each group, by the group's name, in the order of the answer.
    var groups: [(name: String, timeline: Timeline)] = []

    /// Values over time, at equal distances.
    struct Timeline: Sendable {
        /// The first point, in Unix seconds.
        var start: Int64
        /// The distance of points, in seconds.
        var step: Int64
        /// The values; 0 where there is none.
        var samples: [Int64]

        /// The timeline of points that were found, zeros between them.
        ///
        /// - Parameters:
        ///   - points: The points, each at a multiple of `step` after `start`.
        ///   - isAverage: Whether a value is the mean of its profiles, not their sum.
        ///   - start: The first point, in Unix seconds.
        ///   - step: The distance of points, in seconds.
        ///   - count: How many points there are.
        init(
            _ points: [TimelinePoint], isAverage: Bool, from start: Int64, step: Int64, count: Int
        ) {
            self.start = start
            self.step = step
            samples = [Int64](repeating: 0, count: count)
            for point in points {
                let place = Int((point.time.unixMilliseconds / 1000 - start) / step)
                guard samples.indices.contains(place) else { continue }
                let profiles = isAverage ? Int64(max(1, point.profiles)) : 1
                samples[place] = max(0, point.value / profiles)
            }
        }
    }

    /// The document as JSON.
    var json: JSONWriter {
        var json = JSONWriter()
        json.object { json in
            json.member("version", 1)
            json.member("flamebearer") { json in
                json.object { json in
                    json.member("names") { $0.array(levels.names) }
                    json.member("levels") { json in
                        json.array(levels.levels) { json, level in json.array(level) }
                    }
                    json.member("numTicks", levels.total)
                    json.member("maxSelf", levels.largestSelf)
                }
            }
            json.member("metadata", write(metadata:))
            json.member("timeline") { json in
                if let timeline { Self.write(timeline, to: &json) } else { json.null() }
            }
            json.member("groups") { json in
                guard !groups.isEmpty else { return json.null() }
                json.object { json in
                    for group in groups {
                        json.member(group.name) { Self.write(group.timeline, to: &$0) }
                    }
                }
            }
            json.member("heatmap") { $0.null() }
            if isDiff {
                json.member("leftTicks", levels.leftTotal)
                json.member("rightTicks", levels.rightTotal)
            }
        }
        return json
    }

    private func write(metadata json: inout JSONWriter) {
        let (units, rate) = units
        json.object { json in
            json.member("format", isDiff ? "double" : "single")
            json.member("spyName", "")
            json.member("sampleRate", rate)
            json.member("units", units)
            json.member("name", type.sampleType)
        }
    }

    /// The unit in the document's words, and how many of it a second has.
    private var units: (String, Int64) {
        switch type.sampleType {
        case "inuse_objects", "alloc_objects", "goroutine", "goroutines", "samples":
            ("objects", 100)
        case "cpu": ("samples", 1_000_000_000)
        default: (type.sampleUnit, 100)
        }
    }

    private static func write(_ timeline: Timeline, to json: inout JSONWriter) {
        json.object { json in
            json.member("startTime", timeline.start)
            json.member("samples") { $0.array(timeline.samples) }
            json.member("durationDelta", timeline.step)
            json.member("watermarks") { $0.null() }
        }
    }
}
