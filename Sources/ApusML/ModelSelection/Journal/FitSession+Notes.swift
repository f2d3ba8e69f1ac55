/// What searches note beside their decisions, for whoever looks at a study later.
package enum SearchNotes: String, Sendable {
  /// Why searches that decide as they go have ended.
  case endings = "notes: endings"
  /// What nested cross-validations have found, as JSON.
  case nested = "notes: nested"
}

extension FitSession {
  /// Adds a note, unless it is the last one already.
  ///
  /// - Throws: ``ApusError`` when the journal cannot be read or written.
  package func note(_ text: String, among notes: SearchNotes) throws {
    let known = try decisions(of: notes.rawValue, from: 0)
    guard known.last != text else { return }
    var step = known.count
    while try decide(text, step: step, of: notes.rawValue) != text { step += 1 }
  }
}
