/// The best of the candidates that are offered, kept in order: those that learnt from most rows first; NaN comes
/// last, equal scores in the order in which they came.
struct Leaders {
  let count: Int
  private(set) var all: [(candidate: StoredCandidate, index: Int, key: (Int, Double))] = []

  init(count: Int) { self.count = max(0, count) }

  /// Takes a candidate when it is among the best.
  mutating func offer(_ candidate: StoredCandidate, at index: Int, resource: Int, score: Double) {
    let key = (resource, score.isNaN ? -.infinity : score)
    if all.count >= count, all.last.map({ key <= $0.key }) ?? true { return }
    var (low, high) = (0, all.count)
    while low < high {
      let middle = (low + high) / 2
      if all[middle].key >= key { low = middle + 1 } else { high = middle }
    }
    all.insert((candidate, index, key), at: low)
    if all.count > count { all.removeLast() }
  }
}
