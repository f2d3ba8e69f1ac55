extension Collection where Element == String {
  /// The element closest to a misspelt name, for "did you mean" hints; nil when none is close.
  ///
  /// Distance is Levenshtein's after folding case, underscores and hyphens; a name is close when at most a
  /// third of its letters, and at least two, would have to change.
  ///
  /// - Complexity: O(total length of the names × length of `name`).
  public func nearest(to name: String) -> String? {
    let wanted = foldedForComparison(name)
    let scored = map { (candidate: $0, distance: editDistance(foldedForComparison($0), wanted)) }
    guard let best = scored.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= Swift.max(2, wanted.count / 3) ? best.candidate : nil
  }
}

private func foldedForComparison(_ name: String) -> [Character] {
  name.lowercased().filter { $0 != "_" && $0 != "-" }
}

private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var previous = Array(0...b.count)
  for (i, left) in a.enumerated() {
    var current = [i + 1]
    for (j, right) in b.enumerated() {
      current.append(
        Swift.min(previous[j + 1] + 1, current[j] + 1, previous[j] + (left == right ? 0 : 1)))
    }
    previous = current
  }
  return previous[b.count]
}
