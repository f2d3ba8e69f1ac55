import ApusData
import ApusParallel

/// A part of each fold's training rows.
///
/// Larger parts contain smaller ones, and classes keep their proportions.
struct FoldPart: Sendable, Hashable {
  /// The part is `rows / all rows of the data set` of the training rows, rounded down, but one row at least.
  let rows: Int
  let seed: Seed

  /// The training rows of a split that belong to the part, ascending.
  func rows(of split: Split, fold: Int, in data: Dataset) -> [Int] {
    let count = split.train.count * rows / max(1, data.rowCount)
    guard count < split.train.count else { return split.train }
    return ordered(split.train, data, seed.derived("part", fold)).prefix(max(1, count)).sorted()
  }

  /// Rows in random order, but so that every beginning of it has the classes in nearly their proportions.
  private func ordered(_ rows: [Int], _ data: Dataset, _ seed: Seed) -> [Int] {
    var random = seed.randomSource()
    var shuffled = rows
    random.shuffle(&shuffled)
    guard case .classes(let classes, let labels) = data.target else { return shuffled }
    var sizes = [Int](repeating: 0, count: labels.count)
    for row in shuffled { sizes[Int(classes[row])] += 1 }
    var seen = [Int](repeating: 0, count: labels.count)
    // The i-th row of a class with m rows stands at (i + 1/2) / m of the way.
    let places = shuffled.map { row in
      let label = Int(classes[row])
      defer { seen[label] += 1 }
      return (Double(seen[label]) + 0.5) / Double(sizes[label])
    }
    return places.indices.sorted { (places[$0], $0) < (places[$1], $1) }.map { shuffled[$0] }
  }
}
