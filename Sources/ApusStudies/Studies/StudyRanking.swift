import ApusML

/// The mean scores of a study's candidates and their places: all that is held of a study's table at once, some
/// bytes a candidate.
public struct StudyRanking: Sendable {
  private var means: [[Double]]
  private var isTried: [Bool] = []
  private var ranks: [[Int]] = []

  init(metricCount: Int) { means = [[Double]](repeating: [], count: metricCount) }

  /// Adds the next candidate; nil for one of which no fold was tried, which has no place.
  mutating func add(_ candidate: [Double]?) {
    isTried.append(candidate != nil)
    for position in means.indices { means[position].append(candidate?[position] ?? .nan) }
  }

  /// Gives places to those that were tried.
  mutating func finish() {
    let tried = isTried.indices.filter { isTried[$0] }
    ranks = means.map { means in
      var all = [Int](repeating: 0, count: means.count)
      for (index, rank) in zip(tried, ApusML.ranks(of: tried.map { means[$0] })) { all[index] = rank }
      return all
    }
  }

  /// The place of a candidate by a metric, from 1; equal means share the smallest place.
  public func rank(of candidate: Int, by metric: Int) -> Int { ranks[metric][candidate] }
}
