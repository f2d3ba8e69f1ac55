import Apus

extension Report {
  /// Says what a saved model can be used for, as a command to copy.
  static func nextStep(savedTo path: String, dataset: String, what: String) {
    note("Saved the \(what) to \(path). Use it: apus predict \(quoted(path)) \(quoted(dataset))")
  }

  /// Says what in some rows is not as their model knows it.
  static func notes(on rows: MatchedDataset) {
    if !rows.ignoredColumns.isEmpty {
      let noun = rows.ignoredColumns.count == 1 ? "column" : "columns"
      note("Note: ignoring \(noun) \(listed(rows.ignoredColumns)), unknown to the model")
    }
    for (column, count) in rows.unseenCategories.sorted(by: { $0.key < $1.key }) {
      let noun = count == 1 ? "cell" : "cells"
      note(
        "Note: \(count) \(noun) of column '\(column)' held categories that the model has never seen, "
          + "and count as missing")
    }
  }

  private static func listed(_ names: [String]) -> String {
    let more = names.count > 5 ? " and \(names.count - 5) more" : ""
    return names.prefix(5).map { "'\($0)'" }.joined(separator: ", ") + more
  }

  /// A word as a shell must be given it.
  static func quoted(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./+:=@%,".contains($0)) }
    return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}
