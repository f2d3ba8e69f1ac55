import Apus
import Foundation

/// Whoever read the standard output has gone away, so there is nobody to write for.
struct BrokenPipe: Error {}

/// The standard output, which carries results and nothing else.
enum StandardOutput {
  /// Writes text.
  ///
  /// - Throws: ``BrokenPipe`` when the reader has gone; ``ApusError`` of kind `file` for other reasons, such
  ///   as a full disk.
  static func write(_ text: String) throws {
    var text = text
    try text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let count = Foundation.write(STDOUT_FILENO, rest.baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        if count < 0, errno == EPIPE { throw BrokenPipe() }
        guard count > 0 else { throw ApusError.systemFailure("cannot write to", "the standard output") }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }

  /// Writes a value as one JSON object, keys in alphabetical order.
  static func write(json value: some Encodable) throws { try write(json(value)) }

  /// A value as JSON for people and programs: indented, keys in alphabetical order; NaN and infinities, which
  /// JSON does not have, are the words `nan`, `inf` and `-inf`.
  static func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder.jobs
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }
}
