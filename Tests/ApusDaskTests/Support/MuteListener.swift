import ApusParallel
import Foundation

/// Somebody who takes connections, and then says nothing.
final class MuteListener {
  let port: UInt16
  private let descriptor: Int32

  /// Its address as a scheduler's.
  var address: String { "tcp://127.0.0.1:\(port)" }

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let (socket, size) = (descriptor, length)
    let isListening = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        bind(socket, generic, size) == 0 && listen(socket, 16) == 0
          && getsockname(socket, generic, &length) == 0
      }
    }
    port = UInt16(bigEndian: address.sin_port)
    guard isListening else { throw ApusError(.job, "no port is free") }
  }

  deinit { close(descriptor) }

  /// Waits until somebody has connected.
  func waitForConnection() {
    var waited = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    while poll(&waited, 1, 1000) <= 0 {}
  }
}
