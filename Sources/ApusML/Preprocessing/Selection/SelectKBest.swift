import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Keeps the columns that a test finds most closely connected with the target, each taken alone.
///
/// ```swift
/// var estimator = Pipeline(SelectKBest(), LogisticRegression())
/// estimator.first.k = 20
/// ```
public struct SelectKBest: TransformerEstimator {
  /// The number of columns that are kept; all where there are fewer.
  public var k = 10
  /// The test.
  public var score = UnivariateTest.automatic

  /// Creates a selection of ten columns.
  public init() {}

  /// `select-k-best`.
  public static let name = "select-k-best"
  /// What it does.
  public static let summary = "Keeps the columns that a test finds most closely connected with the target."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<SelectKBest>] = [
    Hyperparameter("k", \.k, in: .atLeast(1), "The number of columns that are kept."),
    Hyperparameter(
      "score", \.score, alias: "score_func",
      "The test: analysis of variance or chi-squared for classes, correlation for numbers."),
  ]

  /// Tests every column.
  ///
  /// Columns with equal scores are kept from the last on, as scikit-learn does; one without a score, such as a
  /// constant one, comes after all others. The rows' weights do not count.
  ///
  /// - Throws: ``ApusError`` of kind `data` for categorical columns, missing or infinite values, a target that
  ///   the test cannot take, one class only, or negative numbers in a chi-squared test.
  /// - Complexity: O(n · p).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> ColumnSelectionModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    let result = try score.results(data, selection: Self.name)
    let order = result.indices.sorted { left, right in
      let (a, b) = (result[left].score, result[right].score)
      if a.isNaN || b.isNaN { return a.isNaN == b.isNaN ? left < right : a.isNaN }
      return (a, left) < (b, right)
    }
    return ColumnSelectionModel(
      featureCount: data.featureCount, keptColumns: order.suffix(k).sorted(),
      scores: PackedArray(result.map(\.score)), pValues: PackedArray(result.map(\.pValue)))
  }
}
