// SPDX-License-Identifier: Apache-2.0
// The address to listen on: reading it, binding it, and saying who has it already.

internal import FoundationEssentials
internal import Glibc

/// The address to listen on.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IPv4 or IPv6 address (without brackets), a name, or empty for all addresses.
    package var host: String
    /// The port; 0 for one that is free.
    package var port: UInt16

    /// An address from its parts.
    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`, `[::1]:port`, `:port` or a host alone, whose port is 4040.
    ///
    /// - Throws: ``ServerError`` when it is none of these.
    package init(parsing text: String) throws(ServerError) {
        let wrong = ServerError(
            .badConfiguration,
            "cannot read the listen address: got \"\(text)\"; want one such as 127.0.0.1:4040 or [::1]:4040"
        )
        var portText: Substring = "4040"
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw wrong }
            host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            if rest.hasPrefix(":") {
                portText = rest.dropFirst()
            } else if !rest.isEmpty {
                throw wrong
            }
        } else if let colon = text.firstIndex(of: ":") {
            host = String(text[..<colon])
            portText = text[text.index(after: colon)...]
        } else {
            host = text
        }
        guard let port = UInt16(portText), !text.isEmpty,
            host.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "/") })
        else { throw wrong }
        self.port = port
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// A socket that listens.
struct ListeningSocket {
    /// The socket; who takes this value closes it.
    var descriptor: Int32
    /// The address that was bound.
    var address: ListenAddress
    /// Whether only this machine reaches it.
    var isLoopback: Bool

    /// The sockets' address family and bytes of an address that a name stands for.
    private struct Resolved {
        var family: Int32
        var bytes: [UInt8]
    }

    /// Whether every address that this name stands for is a loopback address.
    static func isLoopback(_ address: ListenAddress) throws(ServerError) -> Bool {
        try resolve(address).allSatisfy { isLoopback($0) }
    }

    /// Binds an address.
    ///
    /// - Throws: ``ServerError`` when it cannot be had; says who has it when that can be seen.
    init(binding address: ListenAddress) throws(ServerError) {
        guard let resolved = try Self.resolve(address).first else {
            throw ServerError(.cannotListen, "cannot listen on \(address): the name has no address")
        }
        let socket = Glibc.socket(
            resolved.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw Self.failure(address, errno) }
        var on: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let bound = resolved.bytes.withUnsafeBytes { bytes in
            // Safety: getaddrinfo returned these bytes as a socket address of this length.
            bind(
                socket, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(bytes.count))
        }
        guard bound == 0, listen(socket, 1024) == 0 else {
            let reason = errno
            close(socket)
            throw Self.failure(address, reason)
        }
        descriptor = socket
        isLoopback = Self.isLoopback(resolved)
        self.address = address
        self.address.port = Self.port(of: socket) ?? address.port
    }

    private static func resolve(_ address: ListenAddress) throws(ServerError) -> [Resolved] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let host = address.host.isEmpty ? "0.0.0.0" : address.host
        let status = getaddrinfo(host, String(address.port), &hints, &list)
        guard status == 0 else {
            throw ServerError(
                .cannotListen,
                "cannot listen on \(address): \(String(cString: gai_strerror(status))); want an address of this machine"
            )
        }
        defer { freeaddrinfo(list) }
        var resolved: [Resolved] = []
        var next = list
        // Safety: getaddrinfo's list is valid until freeaddrinfo, each address for its own length.
        while let entry = next?.pointee {
            if let bytes = entry.ai_addr {
                let raw = UnsafeRawBufferPointer(start: bytes, count: Int(entry.ai_addrlen))
                resolved.append(Resolved(family: entry.ai_family, bytes: Array(raw)))
            }
            next = entry.ai_next
        }
        return resolved
    }

    private static func isLoopback(_ resolved: Resolved) -> Bool {
        // sockaddr_in: family, port, then the address; sockaddr_in6: 4 bytes more before it.
        switch resolved.family {
        case AF_INET: resolved.bytes.count > 4 && resolved.bytes[4] == 127
        case AF_INET6:
            resolved.bytes.count >= 24
                && resolved.bytes[8..<24].elementsEqual([UInt8](repeating: 0, count: 15) + [1])
        default: false
        }
    }

    private static func port(of socket: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutableBytes(of: &storage) { bytes in
            // Safety: the storage is as long as `length` says and holds any socket address.
            getsockname(socket, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard status == 0 else { return nil }
        // Both families keep the port, big-endian, in bytes 2 and 3.
        return withUnsafeBytes(of: &storage) { UInt16($0[2]) << 8 | UInt16($0[3]) }
    }

    private static func failure(_ address: ListenAddress, _ reason: Int32) -> ServerError {
        var message = "cannot listen on \(address): \(String(cString: strerror(reason)))"
        switch reason {
        case EADDRINUSE:
            if let holder = PortHolder.find(port: address.port) { message += " (by \(holder))" }
            message += "; want a free port, such as --listen \(address.host):0 gives"
        case EACCES: message += "; want a port from 1024, or the right to bind lower ones"
        case EADDRNOTAVAIL: message += "; want an address of this machine"
        default: break
        }
        return ServerError(.cannotListen, message)
    }
}

/// Finds out which process listens on a port.
private enum PortHolder {
    /// The process, such as `sonde, pid 4711`; `nil` when it cannot be seen.
    static func find(port: UInt16) -> String? {
        let inodes = Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap { listeners($0, port: port) })
        guard !inodes.isEmpty else { return nil }
        let targets = Set(inodes.map { "socket:[\($0)]" })
        let files = FileManager.default
        for process in (try? files.contentsOfDirectory(atPath: "/proc")) ?? []
        where Int(process) != nil {
            let folder = "/proc/\(process)/fd"
            for descriptor in (try? files.contentsOfDirectory(atPath: folder)) ?? [] {
                guard
                    let target = try? files.destinationOfSymbolicLink(
                        atPath: "\(folder)/\(descriptor)"), targets.contains(target)
                else { continue }
                let name =
                    (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)) ?? ""
                return "\(name.split(separator: "\n").first ?? "a process"), pid \(process)"
            }
        }
        return nil
    }

    /// The inodes of listening sockets.
    ///
    /// Source: proc(5), `/proc/net/tcp`.
    private static func listeners(_ file: String, port: UInt16) -> [Substring] {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 9, fields[3] == "0A",
                let local = fields[1].split(separator: ":").last, UInt16(local, radix: 16) == port
            else { return nil }
            return fields[9]
        }
    }
}
