// SPDX-License-Identifier: Apache-2.0
// Settings: the program beats the environment beats the default, and bad values are said.

import SondeModel
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
    }

    @Test func everyValueHasAnEnvironmentVariable() throws {
        let settings = try settings(
            .init(),
            [
                "SONDE_SERVICE": "s", "SONDE_URL": "https://c:1", "SONDE_TOKEN": "t",
                "SONDE_LABELS": "region=eu, zone = b=c ,empty=", "SONDE_VERSION": "1.2",
                "SONDE_PROFILE": "off", "SONDE_HERTZ": "49.5", "SONDE_CA_FILE": "/ca.pem",
                "SONDE_UPLOAD": "no", "SONDE_QUEUE_BYTES": "65536", "SONDE_QUEUE_SECONDS": "60",
                "SONDE_LOG": "stderr",
            ])
        #expect(settings.service == "s")
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
        configuration.uploadsImages = true
        configuration.queueBytes = 100_000
        let settings = try settings(
            configuration,
            [
                "SONDE_SERVICE": "e", "SONDE_URL": "http://e", "SONDE_TOKEN": "e",
                "SONDE_LABELS": "region=e,zone=e", "SONDE_VERSION": "e", "SONDE_PROFILE": "wrong",
                "SONDE_HERTZ": "wrong", "SONDE_UPLOAD": "wrong", "SONDE_QUEUE_BYTES": "wrong",
            ])
        #expect(settings.service == "given")
        #expect(settings.url == "http://given")
        #expect(settings.token == "given")
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
        ("SONDE_QUEUE_BYTES", "1"), ("SONDE_QUEUE_SECONDS", "-1"),
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
