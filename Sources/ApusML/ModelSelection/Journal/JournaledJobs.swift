import ApusParallel
import Synchronization

/// The jobs of a plan that nobody has done and nobody else is doing, claimed from a journal as they are taken.
///
/// Fits are claimed for about ``claimTime`` ahead: rarely enough that claims cost nothing beside the fits,
/// often enough that processes that share a study end at about the same time.
final class JournaledJobs: Sequence, Sendable {
  /// Candidates on a fold, fitted by one job.
  struct Share {
    /// Places in the search.
    var candidates: [Int]
    var fold: Int
  }

  private static var claimTime: Double { 1 }
  private static var largestClaim: Int { 65_536 }

  private let plan: FitPlan
  private let candidates: SearchCandidates
  private let template: FitAndScore
  private let session: any FitSession
  private let slots: Int
  /// The first place of each of the journal's numbers; equal candidates are fitted there only.
  private let firstPlace: [Int: Int]
  private let state: Mutex<State>

  private struct State {
    /// The next job of the plan to be claimed.
    var cursor = 0
    /// Claimed, in reverse order.
    var claimed: [Share] = []
    /// Handed out, by the job's index in the run.
    var running: [Int: Share] = [:]
    var nextIndex = 0
    /// Whether fits were passed over because other processes have them.
    var leftToOthers = false
    var claimSize: Int
    var lastClaim: ContinuousClock.Instant?
    /// At `candidate · folds + fold`.
    var isFinished: [Bool]
    /// Finished by other processes.
    var news: [FinishedFit] = []
    var problem: (any Error)?
  }

  init(
    _ plan: FitPlan, _ candidates: SearchCandidates, _ template: FitAndScore, session: any FitSession,
    slots: Int,
    firstPlace: [Int: Int]
  ) {
    self.plan = plan
    self.candidates = candidates
    self.template = template
    self.session = session
    self.slots = slots
    self.firstPlace = firstPlace
    state = Mutex(
      State(
        claimSize: 2 * slots,
        isFinished: [Bool](repeating: false, count: candidates.count * plan.foldCount)))
  }

  /// Starts at the beginning of the plan, with jobs numbered from 0.
  func makeIterator() -> Iterator {
    state.withLock { state in
      state.cursor = 0
      state.nextIndex = 0
      state.running = [:]
      state.claimed = []
      state.leftToOthers = false
    }
    return Iterator(jobs: self)
  }

  struct Iterator: IteratorProtocol {
    let jobs: JournaledJobs
    func next() -> FitAndScore? { jobs.next() }
  }

  /// Whether some fits were left to other processes, which have finished them or may yet fail to.
  var leftToOthers: Bool { state.withLock { $0.leftToOthers } }

  /// The journal's number of a candidate.
  func number(ofPlace place: Int) -> Int { session.candidateNumbers[place] }

  /// Notes that a fit needs not be made; false when that was known.
  func markFinished(place: Int, fold: Int) -> Bool {
    state.withLock { state in
      let index = place * plan.foldCount + fold
      defer { state.isFinished[index] = true }
      return !state.isFinished[index]
    }
  }

  /// What the job with an index in the run was, asked once when it has ended.
  func share(ofJob index: Int) -> Share? { state.withLock { $0.running.removeValue(forKey: index) } }

  /// What other processes have finished since the last call.
  func takeNews() -> [FinishedFit] {
    state.withLock { state in
      defer { state.news = [] }
      return state.news
    }
  }

  /// - Throws: what went wrong when fits were claimed, which ended the run.
  func check() throws { if let problem = state.withLock({ $0.problem }) { throw problem } }

  private func next() -> FitAndScore? {
    state.withLock { state in
      while state.claimed.isEmpty {
        guard state.problem == nil, state.cursor < plan.jobCount else { return nil }
        do { try claim(&state) } catch { state.problem = error }
      }
      let share = state.claimed.removeLast()
      state.running[state.nextIndex] = share
      state.nextIndex += 1
      var job = template
      job.fold = share.fold
      // Every candidate was made once before the search began, so making it again does not fail.
      job.candidates = share.candidates.compactMap { try? candidates.candidate(at: $0) }
      return job
    }
  }

  private func claim(_ state: inout State) throws {
    if let last = state.lastClaim {
      let seconds = last.elapsedSeconds
      // Claims that bring nothing, because others have the fits, are quick too.
      if seconds < Self.claimTime { state.claimSize = Swift.min(2 * state.claimSize, Self.largestClaim) }
      if seconds > 4 * Self.claimTime { state.claimSize = Swift.max(slots, state.claimSize / 2) }
    }
    state.lastClaim = .now
    var shares: [Share] = []
    var wanted: [FitKey] = []
    while state.cursor < plan.jobCount, shares.count < state.claimSize, wanted.count < Self.largestClaim {
      let (members, fold) = plan.job(at: state.cursor)
      state.cursor += 1
      let open = members.map(Int.init).filter { place in
        firstPlace[session.candidateNumbers[place]] == place
          && !state.isFinished[place * plan.foldCount + fold]
      }
      guard !open.isEmpty else { continue }
      shares.append(Share(candidates: open, fold: fold))
      wanted += open.map { FitKey(candidate: session.candidateNumbers[$0], fold: fold) }
    }
    guard !shares.isEmpty else { return }
    let granted = try session.claim(wanted) { state.news.append($0) }
    if granted.count < wanted.count {
      state.leftToOthers = true
      let ours = Set(granted)
      for index in shares.indices {
        let fold = shares[index].fold
        shares[index].candidates.removeAll {
          !ours.contains(FitKey(candidate: session.candidateNumbers[$0], fold: fold))
        }
      }
      shares.removeAll { $0.candidates.isEmpty }
    }
    state.claimed = shares.reversed()
  }
}
