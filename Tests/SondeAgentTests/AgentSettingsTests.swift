// SPDX-License-Identifier: Apache-2.0
// Settings: the program beats the environment beats the default, and bad values are said.

import Glibc
import SondeModel
import SondeProbeRuntime
import Testing

@testable import SondeAgent

struct AgentSettingsTests {
    private func settings(
        _ configuration: Sonde.Configuration = .init(), _ environment: [String: String] = [:]
    ) throws -> AgentSettings {
        try AgentSettings(configuration) { environment[$0] }
    }

    @Test func theDefaultsAreTheDocumentedOnes() throws {
        let settings = try settings(.init(service: "s"))
        #expect(settings.url == "http://127.0.0.1:4040")
        #expect(settings.token == nil)
        #expect(settings.version.isEmpty)
        #expect(settings.labels.labels.isEmpty)
        #expect(settings.samplesCPU)
        #expect(settings.hertz == 100)
        #expect(settings.uploadsImages)
        #expect(settings.queueBytes == 16_777_216)
        #expect(settings.queueSeconds == 3600)
        #expect(settings.log == nil)
        #expect(!settings.isOff)
        #expect(settings.probes.policy == ProbePolicy())
        #expect(
            settings.probes.machine
                == MachineLimits(
                    ringBytes: 4_194_304, linesPerSecond: 5000, cpuMillionths: 50_000))
        #expect(settings.probes.queueBytes == 16_777_216)
        #expect(settings.probes.runtimeFolder == "/tmp/sonde-\(getuid())")
    }

    @Test func everyProbeSettingHasAnEnvironmentVariable() throws {
        let probes = try settings(
            .init(service: "s"),
            [
                "SONDE_PROBES": "Read-Only", "SONDE_PROBE_DENY_FILES": "Vault/, Key.swift ,",
                "SONDE_PROBE_DENY_FUNCTIONS": "Vault.open", "SONDE_PROBE_HIDE_NAMES": "zip,-card",
                "SONDE_PROBE_HIDE_VALUES": "##-##", "SONDE_PROBE_LINES_PER_SECOND": "7",
                "SONDE_PROBE_CPU_PERCENT": "2.5", "SONDE_PROBE_RING_BYTES": "2097152",
                "SONDE_LOG_QUEUE_BYTES": "65536", "SONDE_RUNTIME_DIR": "/run/x",
            ]
        ).probes
        #expect(probes.policy.mode == .readOnly)
        #expect(probes.policy.deniedFiles == ["Vault/", "Key.swift"])
        #expect(probes.policy.deniedFunctions == ["Vault.open"])
        #expect(probes.policy.names.hides("zip") && !probes.policy.names.hides("card"))
        #expect(probes.policy.values.redact("12-34") == "<redacted>")
        #expect(
            probes.machine
                == MachineLimits(ringBytes: 2_097_152, linesPerSecond: 7, cpuMillionths: 25_000))
        #expect(probes.queueBytes == 65_536 && probes.runtimeFolder == "/run/x")
    }

    @Test func theProgramsProbeSettingsBeatTheEnvironmentAndItsListsAdd() throws {
        var configuration = Sonde.Configuration(service: "s")
        configuration.probes.mode = .off
        configuration.probes.deniedFiles = ["B.swift"]
        configuration.probes.hiddenNames = ["mine"]
        configuration.probes.linesPerSecond = 9
        let probes = try settings(
            configuration,
            [
                "SONDE_PROBES": "on", "SONDE_PROBE_DENY_FILES": "A.swift",
                "SONDE_PROBE_HIDE_NAMES": "theirs", "SONDE_PROBE_LINES_PER_SECOND": "wrong",
            ]
        ).probes
        #expect(probes.policy.mode == .off)
        #expect(probes.policy.deniedFiles == ["A.swift", "B.swift"])
        #expect(probes.policy.names.hides("mine") && probes.policy.names.hides("theirs"))
        #expect(probes.machine.linesPerSecond == 9)
    }

    @Test func everyValueHasAnEnvironmentVariable() throws {
        let settings = try settings(
            .init(),
            [
                "SONDE_SERVICE": "s", "SONDE_URL": "https://c:1", "SONDE_TOKEN": "t",
                "SONDE_LABELS": "region=eu, zone = b=c ,empty=", "SONDE_VERSION": "1.2",
                "SONDE_PROFILE": "off", "SONDE_HERTZ": "49.5", "SONDE_CA_FILE": "/ca.pem",
                "SONDE_UPLOAD": "no", "SONDE_QUEUE_BYTES": "65536", "SONDE_QUEUE_SECONDS": "60",
                "SONDE_LOG": "stderr", "SONDE_TENANT": "night",
            ])
        #expect(settings.service == "s")
        #expect(settings.tenant == "night")
        #expect(settings.url == "https://c:1")
        #expect(settings.token == "t")
        #expect(
            settings.labels.labels == [
                Label(name: "region", value: "eu"), Label(name: "zone", value: "b=c"),
            ])
        #expect(settings.version == "1.2")
        #expect(!settings.samplesCPU)
        #expect(settings.hertz == 49.5)
        #expect(settings.certificateFile == "/ca.pem")
        #expect(!settings.uploadsImages)
        #expect(settings.queueBytes == 65536)
        #expect(settings.queueSeconds == 60)
        #expect(settings.log == "stderr")
    }

    @Test func whatTheProgramSaysBeatsTheEnvironment() throws {
        var configuration = Sonde.Configuration(
            service: "given", version: "2", url: "http://given", token: "given",
            labels: ["region": "given"], samplesCPU: true, hertz: 11)
        configuration.tenant = "given"
        configuration.uploadsImages = true
        configuration.queueBytes = 100_000
        let settings = try settings(
            configuration,
            [
                "SONDE_SERVICE": "e", "SONDE_URL": "http://e", "SONDE_TOKEN": "e",
                "SONDE_LABELS": "region=e,zone=e", "SONDE_VERSION": "e", "SONDE_PROFILE": "wrong",
                "SONDE_HERTZ": "wrong", "SONDE_UPLOAD": "wrong", "SONDE_QUEUE_BYTES": "wrong",
                "SONDE_TENANT": "not a name",
            ])
        #expect(settings.service == "given")
        #expect(settings.url == "http://given")
        #expect(settings.token == "given")
        #expect(settings.tenant == "given")
        #expect(settings.version == "2")
        #expect(settings.labels["region"] == "given")
        #expect(settings.labels["zone"] == "e")
        #expect(settings.samplesCPU && settings.uploadsImages)
        #expect(settings.hertz == 11)
        #expect(settings.queueBytes == 100_000)
    }

    @Test(arguments: [
        ("SONDE_HERTZ", "0"), ("SONDE_HERTZ", "1001"), ("SONDE_HERTZ", "nan"),
        ("SONDE_HERTZ", "often"), ("SONDE_PROFILE", "alloc"), ("SONDE_UPLOAD", "perhaps"),
        ("SONDE_OFF", "maybe"), ("SONDE_LABELS", "region"), ("SONDE_LABELS", "1a=b"),
        ("SONDE_LABELS", "service_name=x"), ("SONDE_LABELS", "__x=y"),
        ("SONDE_PROBES", "perhaps"), ("SONDE_PROBE_LINES_PER_SECOND", "0"),
        ("SONDE_PROBE_CPU_PERCENT", "101"), ("SONDE_PROBE_RING_BYTES", "1"),
        ("SONDE_TENANT", "a b"), ("SONDE_TENANT", "a|b"), ("SONDE_TENANT", "a\r\nX: y"),
        ("SONDE_LOG_QUEUE_BYTES", "x"), ("SONDE_QUEUE_BYTES", "1"), ("SONDE_QUEUE_SECONDS", "-1"),
    ])
    func aBadVariableIsNamedWithItsValue(name: String, value: String) throws {
        let error = #expect(throws: SondeError.self) {
            try settings(.init(service: "s"), [name: value])
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.hasPrefix("cannot ") == true)
        #expect(error?.message.contains("; want ") == true)
        let subject = name == "SONDE_LABELS" ? value : name
        #expect(error?.message.contains(subject) == true, "\(error?.message ?? "")")
    }

    @Test func aServiceNameIsNeededUnlessTheAgentIsOff() throws {
        let error = #expect(throws: SondeError.self) { try settings() }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("SONDE_SERVICE") == true)
        #expect(throws: SondeError.self) { try settings(.init(), ["SONDE_SERVICE": ""]) }
        #expect(try settings(.init(), ["SONDE_OFF": "1"]).isOff)
    }

    @Test func anAddressThatCannotBeUsedStopsTheStart() throws {
        for url in ["ftp://x", "nonsense://", "http://user:pw@host"] {
            let settings = try settings(.init(service: "s", url: url))
            let error = #expect(throws: SondeError.self) { try Clients(settings) }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(url) == true)
        }
        var missing = Sonde.Configuration(service: "s")
        missing.certificateFile = "/does/not/exist.pem"
        let settings = try settings(missing)
        #expect(throws: SondeError.self) { try Clients(settings) }
    }
}
