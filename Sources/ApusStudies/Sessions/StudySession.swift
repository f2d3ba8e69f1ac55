import ApusML
import Foundation
import Synchronization

/// This process at work on a study.
///
/// What it has claimed is its own for as long as its heartbeat is heard; a process that is not heard for
/// ``leaseTime``, or is known to have ended, loses what it held to whoever asks next. Should it have been only
/// slow, its results are welcome all the same.
package final class StudySession: FitSession {
  /// Names a session.
  package struct Identity: Sendable, Hashable {
    /// The study's number.
    package var study: Int
    /// The session's number.
    package var session: Int

    package init(study: Int, session: Int) {
      self.study = study
      self.session = session
    }
  }

  /// The seconds after which a process that is not heard counts as gone: long beside a host that is busy, short
  /// beside the time after which a person wonders.
  package static var leaseTime: Double { 60 }
  /// The seconds from one heartbeat to the next.
  static var heartbeatInterval: TimeInterval { 10 }

  package let candidateNumbers: [Int]
  private let store: any StudyStore
  private let identity: Identity
  private let journal: StudyJournal
  private let state = Mutex(State())
  private let heartbeat: Heartbeat

  private struct State {
    /// Claimed and not finished.
    var held: Set<FitKey> = []
    /// How far the finished fits were read.
    var position = 0
  }

  init(_ journal: StudyJournal, _ identity: Identity, candidateNumbers: [Int]) {
    let store = journal.store
    self.store = store
    self.journal = journal
    self.identity = identity
    self.candidateNumbers = candidateNumbers
    // A beat that fails is followed by others; a store that stays broken is noticed by the next commit.
    heartbeat = Heartbeat(every: Self.heartbeatInterval) { try? store.beat(identity.session) }
  }

  deinit { heartbeat.cancel() }

  package func add(_ candidates: [(estimator: AnyEstimator, varied: [String])]) throws -> [Int] {
    try store.addCandidates(candidates.count, to: identity.study) { candidates[$0] }
  }

  package func decide(_ decision: String, step: Int, of search: String) throws -> String {
    try store.decide(decision, step: step, of: search, in: identity.study)
  }

  package func decisions(of search: String, from step: Int) throws -> [String] {
    try store.decisions(of: search, in: identity.study, from: step)
  }

  package func claim(_ wanted: [FitKey], onNews: (FinishedFit) -> Void) throws -> [FitKey] {
    try state.withLock { state in
      let granted = try store.claim(
        wanted, holding: state.held, for: identity, since: &state.position, onNews: onNews)
      state.held.formUnion(granted)
      return granted
    }
  }

  package func commit(_ fits: [FinishedFit]) async throws {
    guard !fits.isEmpty else { return }
    try await store.commit(fits, from: identity.session)
    state.withLock { state in for fit in fits { state.held.remove(fit.key) } }
  }

  package func journal(ofPart part: String) -> (any FitJournal)? {
    StudyJournal(
      store: store, startsAnew: false, note: journal.note, version: journal.version,
      whole: StudyDescription.Whole(study: identity.study, part: part))
  }

  package func end() async {
    await heartbeat.stop()
    // Others find out soon enough that this process is gone.
    try? store.closeSession(identity.session)
  }
}
