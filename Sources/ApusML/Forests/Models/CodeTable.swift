/// How a model turns the values of one feature into codes; the part of ``ColumnBins`` that predictions need.
struct CodeTable: Sendable, Equatable, Codable {
  /// Ascending; the code of a number is how many of them lie below it.
  var boundaries: PackedArray<Double>
  /// The number of categories of a categorical feature.
  var categoryCount: Int?
  /// Whether the training rows had missing values.
  var hasMissing: Bool

  init(_ bins: ColumnBins) {
    boundaries = PackedArray(bins.boundaries)
    categoryCount = bins.categoryCount
    hasMissing = bins.hasMissing
  }

  /// The largest code that a row can have, with the code that sends missing values to the right kept above
  /// all that a split may compare it with.
  var largestCode: Int { (categoryCount ?? boundaries.elements.count) + (hasMissing ? 1 : 0) }
}
