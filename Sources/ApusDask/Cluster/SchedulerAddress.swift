import ApusParallel
import Foundation

/// Where a scheduler is reached: `tcp://host:8786`, or `tls://host:8786` where it uses TLS.
package struct SchedulerAddress: Sendable {
  package let usesTLS: Bool
  /// A name or an address; one of version 6 without its brackets.
  package let host: String

  /// Reads an address.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  package init(_ text: String) throws {
    guard let scheme = ["tcp", "tls"].first(where: { text.hasPrefix("\($0)://") }) else {
      throw ApusError(
        .invalidParameter, "'\(text)' is not the address of a scheduler",
        hint: "write tcp://host:8786 or tls://host:8786")
    }
    usesTLS = scheme == "tls"
    let place = text.dropFirst(6)
    guard let match = place.wholeMatch(of: /(?:\[([^\[\]]+)\]|([^:\[\]\/]+))(?::([0-9]+))?\/?/),
      let host = match.1 ?? match.2
    else {
      throw ApusError(
        .invalidParameter, "'\(text)' does not name a host and a port",
        hint: "write \(scheme)://host:8786; an address of version 6 is put in brackets")
    }
    guard let port = match.3, let number = Int(port), (1...65_535).contains(number) else {
      let bare = match.1.map { "[\($0)]" } ?? String(host)
      throw ApusError(
        .invalidParameter, "'\(text)' names no port of the scheduler",
        hint: "write \(scheme)://\(bare):8786, if it has Dask's usual one")
    }
    self.host = String(host)
  }

  /// Whether nobody but this machine is reached by it.
  package var isLoopback: Bool {
    if host.lowercased() == "localhost" { return true }
    var four = in_addr()
    if inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
    var six = in6_addr()
    guard inet_pton(AF_INET6, host, &six) == 1 else { return false }
    let bytes = withUnsafeBytes(of: six) { Array($0) }
    // ::1, or one of version 4 in its clothes.
    return bytes == [UInt8](repeating: 0, count: 15) + [1]
      || bytes.prefix(13) == [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 127]
  }
}
