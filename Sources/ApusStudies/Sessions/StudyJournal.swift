import ApusML
import ApusParallel
import Foundation

/// Lets a search keep its fits in a store of studies.
struct StudyJournal: FitJournal {
  let store: any StudyStore
  /// Whether a new study is begun even where one could be continued.
  let startsAnew: Bool
  let note: String?
  let version: String
  /// What the searches belong to, where they are of a part of its rows.
  var whole: StudyDescription.Whole?

  func begin(_ search: JournaledSearch) async throws -> any FitSession {
    let study = try store.study(
      for: StudyDescription(
        number: 0, created: Date().timeIntervalSince1970, version: version, task: search.task,
        refitMetric: search.refitMetric, note: note, whole: whole, identity: search.identity),
      startingAnew: startsAnew)
    let numbers = try store.addCandidates(search.candidateCount, to: study, search.candidate)
    let session = try store.openSession(of: .current, on: study, note: note)
    return StudySession(
      self, StudySession.Identity(study: study, session: session), candidateNumbers: numbers)
  }
}
