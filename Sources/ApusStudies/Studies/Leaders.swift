/// The best of the candidates that are offered, kept in order; NaN comes last, equal scores in the order in
/// which they came.
struct Leaders {
  let count: Int
  private(set) var all: [(candidate: StoredCandidate, index: Int, score: Double)] = []

  init(count: Int) { self.count = max(0, count) }

  /// Takes a candidate when it is among the best.
  mutating func offer(_ candidate: StoredCandidate, at index: Int, score: Double) {
    let score = score.isNaN ? -.infinity : score
    if all.count >= count, score <= all.last?.score ?? .infinity { return }
    var (low, high) = (0, all.count)
    while low < high {
      let middle = (low + high) / 2
      if all[middle].score >= score { low = middle + 1 } else { high = middle }
    }
    all.insert((candidate, index, score), at: low)
    if all.count > count { all.removeLast() }
  }
}
