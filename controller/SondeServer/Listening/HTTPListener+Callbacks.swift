// SPDX-License-Identifier: Apache-2.0
// What libmicrohttpd calls: a connection comes or goes, a request's line, head and body come.

internal import CMicroHTTPD
internal import Glibc
internal import SondeAPI
internal import Synchronization

/// A connection came or goes.
func connectionChanged(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ change: MHD_ConnectionNotificationCode
) {
    guard let context, let connection, let slot else { return }
    let listener = HTTPListener.from(context)
    if change == .CONNECTION_NOTIFY_STARTED {
        let record = ConnectionRecord(socket: sonde_mhd_socket(connection))
        listener.state.connections.add(record)
        // Safety: retained here, released below, and the library calls each once per connection.
        slot.pointee = Unmanaged.passRetained(record).toOpaque()
    } else if let kept = slot.pointee {
        // The library closes the socket after this call.
        listener.state.connections.remove(
            Unmanaged<ConnectionRecord>.fromOpaque(kept).takeRetainedValue())
        slot.pointee = nil
    }
}

/// A request's line came: what is returned is the exchange's context from now on.
func beginExchange(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?,
    _ connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let context, let target, let connection else { return nil }
    let record = sonde_mhd_socket_context(connection).map {
        // Safety: set by `connectionChanged`, which keeps it as long as the connection.
        Unmanaged<ConnectionRecord>.fromOpaque($0).takeUnretainedValue()
    }
    let exchange = Exchange(target: String(cString: target), record: record)
    HTTPListener.from(context).state.exchanges.add(1, ordering: .relaxed)
    // Safety: retained here, released by `endExchange`, which the library calls once for each.
    return Unmanaged.passRetained(exchange).toOpaque()
}

/// A request is over, answered or not.
func endExchange(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ reason: MHD_RequestTerminationCode
) {
    guard let context, let kept = slot?.pointee else { return }
    slot?.pointee = nil
    let exchange = Unmanaged<Exchange>.fromOpaque(kept).takeRetainedValue()
    let listener = HTTPListener.from(context)
    listener.finish(exchange, completed: reason == .REQUEST_TERMINATED_COMPLETED_OK)
    listener.state.exchanges.subtract(1, ordering: .relaxed)
}

/// A request's head came, then pieces of its body, then its end; again when it was resumed.
func handleRequest(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ url: UnsafePointer<CChar>?, _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?,
    _ data: UnsafePointer<CChar>?, _ size: UnsafeMutablePointer<Int>?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let method, let size, let kept = slot?.pointee
    else { return .NO }
    let listener = HTTPListener.from(context)
    let exchange = Unmanaged<Exchange>.fromOpaque(kept).takeUnretainedValue()
    switch exchange.phase {
    case .begun:
        exchange.method = String(cString: method)
        return listener.begin(exchange, connection)
    case .receiving(let request):
        guard size.pointee > 0 else {
            listener.dispatch(request, exchange, connection)
            return .YES
        }
        // Safety: the library holds `size` bytes at `data` during the call.
        let piece = UnsafeRawBufferPointer(start: data, count: size.pointee)
        size.pointee = 0
        return listener.receive(piece, for: request, exchange)
    case .discarding(let response):
        guard size.pointee > 0 else { return listener.send(response, for: exchange, connection) }
        exchange.receivedBytes += size.pointee
        exchange.record?.received(size.pointee)
        size.pointee = 0
        // Beyond this the client is cut off instead.
        return exchange.receivedBytes <= HTTPListener.discardLimit ? .YES : .NO
    case .answered(let response):
        return listener.send(response, for: exchange, connection)
    case .streaming(let streaming):
        return listener.send(streaming, for: exchange, connection)
    case .working, .sent:
        return .YES
    }
}
