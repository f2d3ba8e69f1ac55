import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Brings every column to a given interval, its least value to the lower end and its largest to the upper one.
///
/// Missing values are left out and stay missing. A constant column goes to the lower end. Rows of weight zero
/// do not count.
public struct MinMaxScaler: TransformerEstimator {
  /// The lower end of the interval.
  public var minimum = 0.0
  /// The upper end of the interval.
  public var maximum = 1.0
  /// Whether later values outside the training range are cut to the interval.
  public var clip = false

  /// Creates a scaler to the interval from 0 to 1.
  public init() {}

  /// `min-max-scaler`.
  public static let name = "min-max-scaler"
  /// What it does.
  public static let summary = "Brings every column to a given interval."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<MinMaxScaler>] = [
    Hyperparameter("minimum", \.minimum, "The lower end of the interval."),
    Hyperparameter("maximum", \.maximum, "The upper end of the interval."),
    Hyperparameter("clip", \.clip, "Whether values outside the training range are cut to the interval."),
  ]

  /// Checks that the interval is not empty.
  public func validate() throws {
    try checkRanges()
    guard minimum < maximum else {
      throw ApusError(
        .invalidParameter, "\(Self.name): minimum \(minimum) must be below maximum \(maximum)")
    }
  }

  /// Finds the range of every column.
  ///
  /// - Throws: ``ApusError`` of kind `data` for categorical columns, infinities, no rows or no weight.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> ColumnScalerModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireNumbersOrMissing(for: Self.name)
    let ranges = data.columnRanges
    return ColumnScalerModel(
      offset: ranges.map(\.lower),
      scale: ranges.map { range in
        let width = range.upper - range.lower
        return (width > 10 * Double.ulpOfOne ? width : 1) / (maximum - minimum)
      },
      base: minimum, bounds: clip ? minimum...maximum : nil)
  }
}

/// Divides every column by its largest magnitude, which keeps zeros where they are.
///
/// Missing values are left out and stay missing. A column of zeros stays as it is. Rows of weight zero do not
/// count.
public struct MaxAbsScaler: TransformerEstimator {
  /// Creates a scaler.
  public init() {}

  /// `max-abs-scaler`.
  public static let name = "max-abs-scaler"
  /// What it does.
  public static let summary = "Divides every column by its largest magnitude."
  /// Transformation.
  public static let task = LearningTask.transformation
  /// None.
  public static let hyperparameters: [Hyperparameter<MaxAbsScaler>] = []

  /// Finds the largest magnitude of every column.
  ///
  /// - Throws: ``ApusError`` of kind `data` for categorical columns, infinities, no rows or no weight.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> ColumnScalerModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireNumbersOrMissing(for: Self.name)
    let scale = data.columnRanges.map { range in
      let largest = max(abs(range.lower), abs(range.upper))
      return largest > 10 * Double.ulpOfOne ? largest : 1
    }
    return ColumnScalerModel(offset: nil, scale: scale)
  }
}

extension Dataset {
  /// The least and the largest present value of each column, in rows that weigh something; 0 and 0 where
  /// there is none.
  fileprivate var columnRanges: [(lower: Double, upper: Double)] {
    var ranges = columns.map { _ in (lower: Double.infinity, upper: -Double.infinity) }
    features.withUnsafeElements { x in
      ranges.withUnsafeMutableBufferPointer { ranges in
        for row in 0..<rowCount where weights.map({ $0[row] > 0 }) ?? true {
          for column in ranges.indices {
            let value = x[row &* featureCount &+ column]
            // Comparisons with NaN are false, so what is missing changes nothing.
            if value < ranges[column].lower { ranges[column].lower = value }
            if value > ranges[column].upper { ranges[column].upper = value }
          }
        }
      }
    }
    return ranges.map { $0.lower > $0.upper ? (0, 0) : $0 }
  }
}
