// SPDX-License-Identifier: Apache-2.0
// The commands against a real controller with real profiles.

import Foundation
import Testing
import sonde

@Suite struct WithARealController {
    @Test func everyReadingCommandAnswers() throws {
        let controller = try RunningController(in: TemporaryFolder())
        try controller.push(service: "shop")
        let environment = ["SONDE_URL": controller.url]
        func run(_ words: String) throws -> SondeProcess {
            try SondeProcess.run(
                words.split(separator: " ").map(String.init), environment: environment)
        }
        let services = try run("services")
        #expect(services.output.contains("shop") && services.output.contains("cpu (nanoseconds)"))
        let top = try run("top shop --limit 1")
        #expect(top.status == 0)
        #expect(top.output.hasPrefix("4.00 s in 1 profile, in the last 1h\n\n"), "\(top.output)")
        #expect(
            top.output.contains("3.00 s  75.0%  3.00 s  75.0%  hot(_:)   shop.swift:20\n"),
            "\(top.output)")
        #expect(!top.output.contains("cold"))
        let flame = try run("flame shop")
        #expect(
            flame.output.contains("  75.0%     3.00 s     3.00 s  ├ hot(_:)\n"), "\(flame.output)")
        #expect(
            try run("flame shop --format folded").output
                == "main;cold 1000000000\nmain;hot(_:) 3000000000\n")
        #expect(try run("flame shop --format svg").output.contains("<svg"))
        #expect(try run("flame shop --format speedscope").output.contains("speedscope.app"))
        #expect(try run("flame shop --format pprof").bytes.starts(with: [0x1F, 0x8B]))
        for words in [
            "services", "agents", "top shop", "flame shop", "debuginfo list", "token list",
        ] {
            let json = try run(words + " --json")
            #expect(json.status == 0)
            #expect(throws: Never.self) {
                try JSONSerialization.jsonObject(with: Data(json.bytes))
            }
        }
        let none = try run("top shpo")
        #expect(none.status == 1 && none.errors.contains("did you mean shop?"), "\(none.errors)")
        let wrong = try run("top {service_name=")
        #expect(wrong.status == 1 && wrong.errors.hasPrefix("sonde: cannot "), "\(wrong.errors)")
        #expect(
            wrong.errors.hasSuffix("\n  {service_name=\n                ^\n"), "\(wrong.errors)")
        let set = try run("agents set --service shop --hertz 49")
        #expect(set.status == 0 && set.errors.contains("no such instance is connected now"))
        #expect(controller.stop() == 0)
    }

    @Test func theFirstTokenIsMadeInTheDataFolderAndOpensTheDoor() throws {
        let folder = try TemporaryFolder()
        let data = folder.path + "/data"
        // Without a token nothing is served to others.
        let refused = try SondeProcess.run(["serve", "--listen", "0.0.0.0:0", "--data", data])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("sonde token create --data \(data) --role admin"))
        func create(_ words: [String], _ environment: [String: String] = [:]) throws -> String {
            let made = try SondeProcess.run(["token", "create"] + words, environment: environment)
            #expect(made.status == 0, "\(made.errors)")
            #expect(made.output.wholeMatch(of: /sonde_[0-9a-f]+_[0-9a-f]{40,}\n/) != nil)
            return made.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let admin = try create(["--data", data, "--role", "admin", "--name", "me"])
        let controller = try RunningController(["--listen", "0.0.0.0:0"], in: folder)
        let asNobody = ["SONDE_URL": controller.url]
        let asAdmin = asNobody.merging(["SONDE_TOKEN": admin]) { $1 }
        let closed = try SondeProcess.run(["services"], environment: asNobody)
        #expect(closed.status == 1 && closed.errors.contains("SONDE_TOKEN"), "\(closed.errors)")

        let agent = try create(["--role", "agent"], asAdmin)
        try controller.push(service: "shop", token: agent)
        let asAgent = asNobody.merging(["SONDE_TOKEN": agent]) { $1 }
        #expect(try SondeProcess.run(["top", "shop"], environment: asAgent).status == 1)
        let viewer = try create(["--role", "viewer", "--name", "ci", "--expires", "30d"], asAdmin)
        let asViewer = asNobody.merging(["SONDE_TOKEN": viewer]) { $1 }
        #expect(try SondeProcess.run(["top", "shop"], environment: asViewer).status == 0)
        let forbidden = try SondeProcess.run(["token", "list"], environment: asViewer)
        #expect(forbidden.status == 1 && forbidden.errors.contains("--data DIR"))

        let list = try SondeProcess.run(["token", "list"], environment: asAdmin)
        #expect(list.output.split(separator: "\n").count == 4)
        #expect(!list.output.contains(admin) && list.output.contains("ci"))
        // The data folder belongs to the running controller.
        let locked = try SondeProcess.run(["token", "list", "--data", data])
        #expect(
            locked.status == 1 && locked.errors.contains("leave --data out"), "\(locked.errors)")
        let id = try #require(viewer.split(separator: "_").dropFirst().first.map(String.init))
        let revoke = try SondeProcess.run(["token", "revoke", id], environment: asAdmin)
        #expect(revoke.status == 0 && revoke.output == "revoked \(id)\n")
        #expect(try SondeProcess.run(["top", "shop"], environment: asViewer).status == 1)
        #expect(controller.stop(signal: SIGINT) == 0)
        let after = try SondeProcess.run(["token", "list", "--data", data])
        #expect(after.status == 0 && after.output.contains("agent") && !after.output.contains("ci"))
        let log = try String(contentsOfFile: folder.path + "/log", encoding: .utf8)
        #expect(!log.contains(admin.suffix(40)) && !log.contains(agent.suffix(40)))
    }

    @Test func tokensAreJSONOfOneShapeWithAControllerAndWithout() throws {
        let folder = try TemporaryFolder()
        let data = folder.path + "/data"
        let names: Set = ["id", "name", "role", "createdMs", "expiresMs", "lastUsedMs"]
        func json(_ words: String, _ environment: [String: String] = [:]) throws -> [String: Any] {
            let result = try SondeProcess.run(
                words.split(separator: " ").map(String.init) + ["--json"], environment: environment)
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.hasSuffix("}\n"))
            let value = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
            return try #require(value as? [String: Any], "\(result.output)")
        }
        func check(_ data: String, _ environment: [String: String] = [:]) throws {
            let before = try json("token list\(data)", environment)["tokens"] as? [Any]
            let made = try json(
                "token create\(data) --role viewer --name ci --expires 30d", environment)
            #expect(Set(made.keys) == names.union(["token"]))
            #expect(made["role"] as? String == "viewer" && made["name"] as? String == "ci")
            let token = try #require(made["token"] as? String)
            #expect(token.wholeMatch(of: /sonde_[0-9a-f]+_[0-9a-f]{40,}/) != nil)
            let after = try json("token list\(data)", environment)["tokens"] as? [[String: Any]]
            #expect(after?.count == (before?.count ?? -1) + 1)
            let listed = try #require(after?.first { $0["id"] as? String == made["id"] as? String })
            #expect(Set(listed.keys) == names)
        }
        try check(" --data \(data)")
        let controller = try RunningController(in: folder)
        try check("", ["SONDE_URL": controller.url])
        #expect(controller.stop() == 0)
    }

    @Test func debugFilesAreSentOnce() throws {
        let controller = try RunningController(in: TemporaryFolder())
        let folder = try TemporaryFolder()
        let source = try folder.write("a.c", "int main(void) { return 0; }\n")
        let text = try folder.write("notes.txt", "no ELF file\n")
        try FileManager.default.createDirectory(
            atPath: folder.path + "/bin", withIntermediateDirectories: true)
        let program = folder.path + "/bin/a"
        let built = try SondeProcess.run(
            [], shell: ["/usr/bin/env", "cc", "-g", "-Wl,--build-id", "-o", program, source])
        try #require(built.status == 0, "\(built.errors)")
        let environment = ["SONDE_URL": controller.url]
        let dry = try SondeProcess.run(
            ["debuginfo", "push", "--dry-run", folder.path], environment: environment)
        #expect(dry.status == 0 && dry.output.contains("would be sent"))
        let first = try SondeProcess.run(
            ["debuginfo", "push", folder.path], environment: environment)
        #expect(first.status == 0 && first.output.contains("sent"), "\(first.errors)")
        let again = try SondeProcess.run(["debuginfo", "push", program], environment: environment)
        #expect(again.status == 0 && again.output.contains("already there"))
        let list = try SondeProcess.run(["debuginfo", "list"], environment: environment)
        #expect(list.output.contains("debug info"), "\(list.output)")
        let mixed = try SondeProcess.run(
            ["debuginfo", "push", text, program, "/nowhere"], environment: environment)
        #expect(mixed.status == 1 && mixed.output.contains("already there"))
        #expect(mixed.errors.hasPrefix("sonde: 2 files were not sent:\n"), "\(mixed.errors)")
    }

    @Test func aStartThatCannotSucceedIsOneSentence() throws {
        let folder = try TemporaryFolder()
        let controller = try RunningController(in: folder)
        let port = try #require(controller.url.split(separator: ":").last.map(String.init))
        let other = folder.path + "/other"
        for (words, part) in [
            (["--data", other, "--listen", "127.0.0.1:\(port)"], port),
            (["--data", folder.path + "/data", "--listen", "127.0.0.1:0"], "lock"),
            (["--data", "/proc/nowhere", "--listen", "127.0.0.1:0"], "/proc/nowhere"),
            (["--data", other, "--config", "/nowhere.yaml"], "/nowhere.yaml"),
            (
                ["--data", other, "--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.pem"],
                "/nowhere.pem"
            ),
            (["--data", other, "--listen", "nonsense"], "nonsense"),
        ] {
            let run = try SondeProcess.run(["serve"] + words)
            #expect(run.status == 1 && run.output.isEmpty, "\(words)")
            #expect(run.errors.hasPrefix("sonde: cannot "), "\(run.errors)")
            #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
            #expect(run.errors.contains(part), "\(run.errors)")
        }
    }

    @Test func httpsWorksWithACertificateThatIsNamed() throws {
        let folder = try TemporaryFolder()
        let key = folder.path + "/key.pem", certificate = folder.path + "/cert.pem"
        let made = try SondeProcess.run(
            [],
            shell: [
                "/usr/bin/env", "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                key, "-out", certificate,
            ])
        try #require(made.status == 0, "\(made.errors)")
        let controller = try RunningController(
            ["--tls-cert", certificate, "--tls-key", key], in: folder)
        #expect(controller.url.hasPrefix("https://127.0.0.1:"))
        let trusted = try SondeProcess.run(
            ["services", "--json", "--url", controller.url, "--ca-file", certificate])
        #expect(trusted.status == 0, "\(trusted.errors)")
        let variable = try SondeProcess.run(
            ["services", "--json", "--url", controller.url],
            environment: ["SONDE_CA_FILE": certificate])
        #expect(variable.status == 0 && variable.output == trusted.output)
        let distrusted = try SondeProcess.run(["services", "--url", controller.url])
        #expect(distrusted.status == 1 && distrusted.output.isEmpty)
        #expect(distrusted.errors.contains("--ca-file"), "\(distrusted.errors)")
    }

    @Test func optionsWinOverTheConfigurationFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            "sonde.yaml", "listen: 127.0.0.1:1\ndata: /proc/nowhere\nretention_days: 3\n")
        let controller = try RunningController(["--config", file], in: folder)
        #expect(controller.url.hasPrefix("http://127.0.0.1:"))
        #expect(FileManager.default.fileExists(atPath: folder.path + "/data/control.db"))
    }

    @Test func theDataFolderIsWhereTheSystemsRulesSay() {
        #expect(StandardFolder.data([:], isRoot: true) == "/var/lib/sonde")
        #expect(
            StandardFolder.data(["HOME": "/home/a"], isRoot: false) == "/home/a/.local/state/sonde")
        #expect(
            StandardFolder.data(["HOME": "/h", "XDG_STATE_HOME": "/s"], isRoot: false) == "/s/sonde"
        )
        #expect(
            StandardFolder.data(["HOME": "/h", "XDG_STATE_HOME": "s"], isRoot: false)
                == "/h/.local/state/sonde")
        #expect(StandardFolder.data([:], isRoot: false) == nil)
    }
}
