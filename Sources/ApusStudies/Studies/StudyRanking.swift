import ApusML

/// The mean scores of a study's candidates and their places: all that is held of a study's table at once, some
/// bytes a candidate.
public struct StudyRanking: Sendable {
  private var means: [[Double]]
  /// The rows that each candidate's scores stand for; 0 for one that was not tried.
  private var resources: [Int] = []
  private var ranks: [[Int]] = []

  init(metricCount: Int) { means = [[Double]](repeating: [], count: metricCount) }

  /// Adds the next candidate; nil for one of which no fold was tried, which has no place.
  mutating func add(_ candidate: [Double]?, resource: Int) {
    resources.append(candidate == nil ? 0 : resource)
    for position in means.indices { means[position].append(candidate?[position] ?? .nan) }
  }

  /// Gives places to those that were tried, first to those that learnt from most rows.
  mutating func finish() {
    let groups = Dictionary(grouping: resources.indices.filter { resources[$0] > 0 }) { resources[$0] }
    ranks = means.map { means in
      var all = [Int](repeating: 0, count: means.count)
      var before = 0
      for (_, group) in groups.sorted(by: { $0.key > $1.key }) {
        for (index, rank) in zip(group, ApusML.ranks(of: group.map { means[$0] })) {
          all[index] = before + rank
        }
        before += group.count
      }
      return all
    }
  }

  /// The best candidates by a metric, at most `count` of them; of equal ones, those that were added first.
  func best(_ count: Int, by metric: Int) -> [Int] {
    let ranks = ranks[metric]
    let near = ranks.indices.filter { (1...max(1, count)).contains(ranks[$0]) }
    return Array(near.sorted { (ranks[$0], $0) < (ranks[$1], $1) }.prefix(count))
  }

  /// The place of a candidate by a metric, from 1; equal means share the smallest place.
  public func rank(of candidate: Int, by metric: Int) -> Int { ranks[metric][candidate] }
}
