import ApusML
import Foundation
import Synchronization

/// Where what cells show goes: one line of JSON an event, on a descriptor of its own.
package final class CellOutput: Sendable {
  package static let shared = CellOutput()
  private let descriptor = Mutex<Int32>(-1)

  /// A value to show.
  package struct Display: Encodable, Sendable {
    var event = "display"
    var data: [String: ParameterValue]
    var isResult: Bool
    var id: String?
  }

  /// Sends events to a descriptor from now on.
  package func open(_ descriptor: Int32) { self.descriptor.withLock { $0 = descriptor } }

  func send(_ display: Display) { write(display) }

  /// Writes an event; what was printed before it is written first.
  package func write(_ event: some Encodable) {
    fflush(nil)
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let line = try? encoder.encode(event) else { return }
    descriptor.withLock { descriptor in
      guard descriptor >= 0 else { return }
      try? FileHandle(fileDescriptor: descriptor).write(contentsOf: line + Data("\n".utf8))
    }
  }
}
