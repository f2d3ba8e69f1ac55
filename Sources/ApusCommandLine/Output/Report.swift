import Apus
import Foundation
import Synchronization

/// The standard error, which carries everything that is not a result: notes, progress, errors.
enum Report {
  private static let quiet = Mutex(false)
  private static let liveLine = Mutex("")

  /// Leaves out notes and progress from now on; errors are still reported.
  static func beQuiet() { quiet.withLock { $0 = true } }

  /// Whether notes and progress are left out.
  static var isQuiet: Bool { quiet.withLock { $0 } }

  /// Says something a user may want to know.
  static func note(_ text: String) {
    if !isQuiet { line(text) }
  }

  /// Says what went wrong, and what to do about it.
  static func error(_ error: ApusError) {
    var plain = error
    plain.hint = nil
    line("\(Terminal.standardError.red("Error:")) \(plain)")
    if let hint = error.hint { line("Hint: \(hint)") }
  }

  /// Writes a line, above the live line if there is one.
  static func line(_ text: String) {
    liveLine.withLock { live in
      write((live.isEmpty ? "" : Terminal.eraseLine) + text + "\n" + live)
    }
  }

  /// Replaces the live line at the bottom of a terminal; an empty text takes it away. Elsewhere, and with
  /// `--quiet`, nothing is shown.
  static func live(_ text: String) {
    guard !isQuiet, Terminal.standardError.canRewriteLines else { return }
    liveLine.withLock { live in
      guard text != live else { return }
      live = text
      write(Terminal.eraseLine + text)
    }
  }

  /// Nobody can be told when the standard error cannot be written, so failures are passed over.
  private static func write(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        let count = Foundation.write(STDERR_FILENO, rest.baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }
}
