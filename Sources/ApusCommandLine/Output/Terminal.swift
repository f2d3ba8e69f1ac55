import Foundation

/// What is known about the terminal behind an output, asked anew each time because windows are resized.
struct Terminal: Sendable {
  static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
  static let standardError = Terminal(descriptor: STDERR_FILENO)

  /// Takes the cursor to the start of its line and empties it.
  static let eraseLine = "\r\u{1B}[K"

  private let descriptor: Int32

  /// Whether the output is a terminal at all.
  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Whether lines can be rewritten in place.
  var canRewriteLines: Bool { isTerminal && environment("TERM") != "dumb" }

  /// Whether colours are welcome: on a terminal, unless `NO_COLOR` is set (see no-color.org).
  var hasColour: Bool { canRewriteLines && (environment("NO_COLOR") ?? "").isEmpty }

  /// The number of columns; nil when the output is not a terminal or does not say.
  var width: Int? {
    var size = winsize()
    guard isTerminal, ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Text in red.
  func red(_ text: String) -> String { coloured(text, 31) }

  /// Text in green.
  func green(_ text: String) -> String { coloured(text, 32) }

  private func coloured(_ text: String, _ code: Int) -> String {
    hasColour ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
