extension Report {
  /// Says what a saved model can be used for, as a command to copy.
  static func nextStep(savedTo path: String, dataset: String, what: String) {
    note("Saved the \(what) to \(path). Use it: apus predict \(quoted(path)) \(quoted(dataset))")
  }

  /// Says which columns of a file a model has no use for.
  static func noteIgnored(_ columns: [String]) {
    guard !columns.isEmpty else { return }
    let named = columns.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
    let more = columns.count > 5 ? " and \(columns.count - 5) more" : ""
    note("Note: ignoring \(columns.count == 1 ? "column" : "columns") \(named)\(more), unknown to the model")
  }

  /// A word as a shell must be given it.
  private static func quoted(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./+:=@%,".contains($0)) }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
