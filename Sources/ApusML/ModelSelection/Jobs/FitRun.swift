import ApusParallel
import Synchronization

extension ParallelBackend {
  /// Runs jobs of fits and hands over, for each job that was not cancelled, what became of its candidates.
  ///
  /// Candidates that shared work with one that ends its worker are not lost with it: the fits of such a job are
  /// tried again, each as a job of its own.
  func runFits<Jobs: Sequence & Sendable>(
    _ jobs: Jobs, options: RunOptions, receive: (_ index: Int, _ fits: [TriedFit]) async -> Void
  ) async where Jobs.Element == FitAndScore {
    let drawn = JointJobs(jobs)
    var crashed: [(index: Int, job: FitAndScore)] = []
    for await result in run(drawn, options: options) {
      let job = drawn.take(result.index)
      if let job, case .failure(let failure) = result.outcome, failure.reason.endsWorkers {
        crashed.append((result.index, job))
      } else {
        await receive(result.index, result.outcome.fits(job?.candidates.count ?? 1))
      }
    }
    guard !crashed.isEmpty, !options.cancellation.isCancelled, !Task.isCancelled else { return }
    await runAlone(crashed, options: options, receive: receive)
  }

  private func runAlone(
    _ crashed: [(index: Int, job: FitAndScore)], options: RunOptions,
    receive: (_ index: Int, _ fits: [TriedFit]) async -> Void
  ) async {
    var places: [(group: Int, candidate: Int)] = []
    var alone: [FitAndScore] = []
    for (group, entry) in crashed.enumerated() {
      for candidate in entry.job.candidates.indices {
        var job = entry.job
        job.candidates = [entry.job.candidates[candidate]]
        alone.append(job)
        places.append((group, candidate))
      }
    }
    var fits = crashed.map { [TriedFit?](repeating: nil, count: $0.job.candidates.count) }
    for await result in run(alone, options: options) {
      let (group, candidate) = places[result.index]
      fits[group][candidate] = result.outcome.fits(1).first
      let finished = fits[group].compactMap { $0 }
      if finished.count == fits[group].count { await receive(crashed[group].index, finished) }
    }
  }
}

extension JobFailure.Reason {
  /// Whether the job ended the worker that ran it, so that nothing is known of its parts.
  fileprivate var endsWorkers: Bool { self == .trapped || self == .outOfMemory || self == .timedOut }
}

/// Jobs as a backend draws them; those of several candidates are kept until their results have come.
private final class JointJobs<Base: Sequence & Sendable>: Sequence, Sendable
where Base.Element == FitAndScore {
  private let base: Base
  private let kept = Mutex<[Int: FitAndScore]>([:])

  init(_ base: Base) { self.base = base }

  var underestimatedCount: Int { base.underestimatedCount }

  func makeIterator() -> Iterator { Iterator(base: base.makeIterator(), jobs: self) }

  /// The job with an index, if it has several candidates; asked once.
  func take(_ index: Int) -> FitAndScore? { kept.withLock { $0.removeValue(forKey: index) } }

  struct Iterator: IteratorProtocol {
    var base: Base.Iterator
    let jobs: JointJobs
    var index = 0

    mutating func next() -> FitAndScore? {
      guard let job = base.next() else { return nil }
      if job.candidates.count > 1 { jobs.kept.withLock { [index] in $0[index] = job } }
      index += 1
      return job
    }
  }
}
