import Apus

/// Shows that one long piece of work is under way, and how far it is: `Fitting random-forest-classifier: 137 of 500
/// trees, 12 s`. Work that ends within a second shows nothing.
struct WorkDisplay {
  /// Tell it to the computation, to see how far it is.
  let progress: WorkProgress
  private let words: LiveText

  /// Starts to show that something is under way.
  ///
  /// - Parameters:
  ///   - what: the work, as it is to be read.
  ///   - progress: how far it is.
  init(_ what: String, progress: WorkProgress = WorkProgress()) {
    self.progress = progress
    words = LiveText { elapsed, width in
      guard elapsed >= 1 || width == nil else { return "" }
      let stage = progress.stage.map { ": \($0)" } ?? ""
      let line = "\(what)\(stage), \(Quantities.duration(elapsed))"
      return width.map { String(line.prefix($0)) } ?? line
    }
  }

  /// Takes the words away.
  func finish() { words.finish() }

  /// Does something while the words are shown.
  static func during<Result>(
    _ what: String, _ body: (WorkProgress) throws -> Result
  ) rethrows -> Result {
    let display = WorkDisplay(what)
    defer { display.finish() }
    return try body(display.progress)
  }
}
