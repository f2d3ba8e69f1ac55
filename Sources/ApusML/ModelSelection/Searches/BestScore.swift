/// The best mean score of a search so far, among candidates that got the most of a resource: scores with more of it take
/// the place of those with less.
package struct BestScore: Sendable, Equatable {
  /// The score; nil before there is one.
  package private(set) var value: Double?
  private var resource = 0

  package init(_ value: Double? = nil) { self.value = value }

  /// Takes the score of a candidate that got so much of a resource; nil where the search gives none.
  package mutating func take(_ score: Double, resource: Int?) {
    let resource = resource ?? 0
    guard !score.isNaN, resource >= self.resource else { return }
    value = resource > self.resource ? score : max(value ?? score, score)
    self.resource = resource
  }
}
