import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Fills missing values with one value a column.
///
/// Numeric columns get their mean, median, most frequent value or a constant; categorical columns always their
/// most frequent category, for the others have no meaning there. The statistics are those of the rows, each
/// counting once, as scikit-learn's are. A column without any value gets the constant.
///
/// ```swift
/// let estimator = Pipeline(SimpleImputer(), LogisticRegression())
/// ```
public struct SimpleImputer: TransformerEstimator {
  /// What a missing value is replaced by.
  public var strategy = ImputationStrategy.mean
  /// The constant.
  public var fillValue = 0.0
  /// Whether a column of 0 and 1 is added for each column that had missing values in the fit.
  public var addIndicator = false

  /// Creates an imputer that fills in means.
  public init() {}

  /// `simple-imputer`.
  public static let name = "simple-imputer"
  /// What it does.
  public static let summary =
    "Fills missing values with a column's mean, median, most frequent value or a constant."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<SimpleImputer>] = [
    Hyperparameter("strategy", \.strategy, "What a missing value of a numeric column is replaced by."),
    Hyperparameter("fillValue", \.fillValue, "The constant, also for columns without any value."),
    Hyperparameter(
      "addIndicator", \.addIndicator,
      "Whether columns of 0 and 1 are added that say which values were missing."),
  ]

  /// Finds the value of every column.
  ///
  /// - Throws: ``ApusError`` of kind `data` for no rows.
  /// - Complexity: O(n · p); O(n log n · p) for the median and the most frequent value.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> SimpleImputerModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    let fills = try context.compute.map(data.featureCount) { column -> (value: Double, hasMissing: Bool) in
      let all = data.features.column(column)
      let values = all.filter { !$0.isNaN }
      let isCategorical = data.columns[column].isCategorical
      let value = values.isEmpty && isCategorical ? 0 : fill(values, isCategorical: isCategorical)
      return (value, values.count < all.count)
    }
    let indicated = addIndicator ? fills.indices.filter { fills[$0].hasMissing } : []
    return SimpleImputerModel(values: fills.map(\.value), indicatedColumns: indicated)
  }

  private func fill(_ values: [Double], isCategorical: Bool) -> Double {
    guard !values.isEmpty else { return fillValue }
    switch isCategorical ? .mostFrequent : strategy {
    case .constant: return fillValue
    case .mean: return values.reduce(0, +) / Double(values.count)
    case .median:
      let sorted = values.sorted()
      let middle = sorted.count / 2
      return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    case .mostFrequent: return Self.mostFrequent(values.sorted())
    }
  }

  /// The value with the longest run; the smallest of several.
  private static func mostFrequent(_ sorted: [Double]) -> Double {
    var best = (value: sorted[0], count: 0)
    var run = best
    for value in sorted {
      run = value == run.value ? (value, run.count + 1) : (value, 1)
      if run.count > best.count { best = run }
    }
    return best.value
  }
}

/// What a ``SimpleImputer`` replaces missing values by.
public enum ImputationStrategy: String, ParameterChoice {
  /// The mean of the column.
  case mean
  /// The median of the column.
  case median
  /// The value that comes most often, the smallest of several.
  case mostFrequent
  /// The same number everywhere.
  case constant
}

/// The values that a ``SimpleImputer`` found.
public struct SimpleImputerModel: TransformationModel {
  /// What a missing value of each column is replaced by.
  public let values: [Double]
  /// The columns for which an indicator is added.
  public let indicatedColumns: [Int]

  /// The number of features, `p`.
  public var featureCount: Int { values.count }

  /// The same columns, and `missingindicator_name` for each indicator.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] {
    columns + indicatedColumns.map { Feature(name: "missingindicator_\(columns[$0].name)") }
  }

  /// The features without missing values, and the indicators.
  ///
  /// - Complexity: O(n · p).
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    let (p, width) = (featureCount, featureCount + indicatedColumns.count)
    return Matrix(rowCount: features.rowCount, columnCount: width) { target in
      features.withUnsafeElements { source in
        for row in 0..<features.rowCount {
          for column in 0..<p {
            let value = source[row &* p &+ column]
            target[row &* width &+ column] = value.isNaN ? values[column] : value
          }
          for (position, column) in indicatedColumns.enumerated() {
            target[row &* width &+ p &+ position] = source[row &* p &+ column].isNaN ? 1 : 0
          }
        }
      }
    }
  }
}
