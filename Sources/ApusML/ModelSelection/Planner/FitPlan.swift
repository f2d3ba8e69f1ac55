import ApusData
import ApusParallel

/// Which candidates are fitted together, and the jobs that follow from it.
///
/// Candidates that may share work form a group; a group on a fold is a job. Where there would be too few jobs
/// for the slots, groups are cut into pieces, because the answer does not depend on who shares with whom.
package struct FitPlan: Sendable {
  /// The candidates in the order of their groups.
  private let order: [Int32]
  /// Where each group begins in `order`, and its end.
  private let starts: [Int32]
  package let foldCount: Int
  /// So many that slots which finish early find something else to do until the end.
  private let jobsPerSlot = 8

  /// Groups candidates.
  ///
  /// - Parameters:
  ///   - representatives: for each candidate, what it must have in common with others to share work; nil
  ///     where it shares none.
  ///   - folds: the number of splits.
  ///   - slots: how many jobs run at once.
  package init(representatives: some Sequence<AnyEstimator?>, folds: Int, slots: Int) {
    var groupOf: [AnyEstimator: Int] = [:]
    var groups: [[Int32]] = []
    var sharesMostWork: [Bool] = []
    for (index, representative) in representatives.enumerated() {
      if let representative, let known = groupOf[representative] {
        groups[known].append(Int32(index))
      } else {
        if let representative { groupOf[representative] = groups.count }
        groups.append([Int32(index)])
        sharesMostWork.append((representative?.base as? any JointlyFittable)?.sharesMostWork ?? false)
      }
    }
    var order: [Int32] = []
    var starts: [Int32] = [0]
    for (group, sharesMostWork) in zip(groups, sharesMostWork) {
      // One job a slot is enough where dividing a group means to do its work again.
      let wantedJobs = sharesMostWork ? slots : jobsPerSlot * slots
      let pieces = (wantedJobs + groups.count * folds - 1) / max(1, groups.count * folds)
      let size = max(1, (group.count + pieces - 1) / max(1, pieces))
      for start in stride(from: 0, to: group.count, by: size) {
        order += group[start..<min(group.count, start + size)]
        starts.append(Int32(order.count))
      }
    }
    self.order = order
    self.starts = starts
    foldCount = folds
  }

  /// The number of jobs.
  package var jobCount: Int { (starts.count - 1) * foldCount }

  /// The candidates and the fold of a job; the folds of a group follow each other.
  package func job(at index: Int) -> (candidates: ArraySlice<Int32>, fold: Int) {
    let (group, fold) = index.quotientAndRemainder(dividingBy: foldCount)
    return (order[Int(starts[group])..<Int(starts[group + 1])], fold)
  }
}

/// The jobs of a plan, made one at a time as they are taken.
struct FitJobs: Sequence, Sendable {
  let plan: FitPlan
  let candidates: SearchCandidates
  let template: FitAndScore

  var underestimatedCount: Int { plan.jobCount }

  func makeIterator() -> Iterator { Iterator(jobs: self) }

  struct Iterator: IteratorProtocol {
    let jobs: FitJobs
    var index = 0
    var group: [AnyEstimator] = []

    mutating func next() -> FitAndScore? {
      guard index < jobs.plan.jobCount else { return nil }
      let (members, fold) = jobs.plan.job(at: index)
      if fold == 0 {
        // Every candidate was made once before the search began, so making it again does not fail.
        group = members.compactMap { try? jobs.candidates.candidate(at: Int($0)) }
      }
      index += 1
      var job = jobs.template
      job.fold = fold
      job.candidates = group
      return job
    }
  }
}
