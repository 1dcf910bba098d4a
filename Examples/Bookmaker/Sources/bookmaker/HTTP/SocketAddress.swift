// SPDX-License-Identifier: Apache-2.0
// An IPv4 address with a port, as text and as the system wants it.

import Glibc

/// Where a server listens.
struct SocketAddress: Sendable, CustomStringConvertible {
    let host: String
    let port: UInt16

    init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, where the host is four numbers or `localhost`.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = UInt16(parts[1]) else { return nil }
        self.init(host: parts[0] == "localhost" ? "127.0.0.1" : String(parts[0]), port: port)
        guard systemAddress != nil else { return nil }
    }

    var description: String { "\(host):\(port)" }

    /// The address for `bind`, `nil` when the host is no IPv4 address.
    var systemAddress: sockaddr_in? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host, &address.sin_addr) == 1 else { return nil }
        return address
    }

    /// Opens a listening socket; its own port where this one is 0.
    func listen() throws(ListenError) -> (descriptor: Int32, bound: SocketAddress) {
        guard var address = systemAddress else {
            throw ListenError(address: self, reason: "no IPv4 address")
        }
        let descriptor = socket(
            AF_INET,
            Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
                | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw ListenError(address: self, reason: Self.lastError) }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            // Safety: a sockaddr_in begins as a sockaddr does, and `size` is its size.
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, size) == 0 && Glibc.listen(descriptor, 512) == 0
                    && getsockname(descriptor, pointer, &size) == 0
            }
        }
        guard isListening else {
            let reason = Self.lastError
            close(descriptor)
            throw ListenError(address: self, reason: reason)
        }
        return (
            descriptor,
            SocketAddress(host: host, port: UInt16(bigEndian: address.sin_port))
        )
    }

    private static var lastError: String { String(cString: strerror(errno)) }
}

/// Why a server cannot listen.
struct ListenError: Error, CustomStringConvertible {
    let address: SocketAddress
    let reason: String
    var description: String { "cannot listen on \(address): \(reason); want a free address" }
}
