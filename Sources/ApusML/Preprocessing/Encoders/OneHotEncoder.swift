import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Turns every categorical column into a column of 0 and 1 for each of its categories.
///
/// Numeric columns stay as they are. The columns that a category makes are named after it, `cut=Ideal`, and
/// stand where the categorical column stood, in the categories' order. Only categories that occur in the rows
/// it is fitted on get a column; the others, and missing values, are 0 in all of them unless
/// ``handleUnknown`` says otherwise.
///
/// ```swift
/// let estimator = Pipeline(OneHotEncoder(), Ridge())
/// ```
public struct OneHotEncoder: TransformerEstimator {
  /// Which category of a column gets no column of its own, so that the columns are not collinear.
  public var drop: DroppedCategory?
  /// What becomes of a category that did not occur in the fit, and of a missing value.
  public var handleUnknown = UnknownCategory.ignore

  /// Creates an encoder that drops nothing and ignores unknown categories.
  public init() {}

  /// `one-hot-encoder`.
  public static let name = "one-hot-encoder"
  /// What it does.
  public static let summary = "Turns categorical columns into a column of 0 and 1 for each category."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<OneHotEncoder>] = [
    Hyperparameter("drop", \.drop, "The category of each column that gets no column of its own."),
    Hyperparameter(
      "handleUnknown", \.handleUnknown,
      "What becomes of missing values and of categories that the fit did not see: zeros, or an error."),
  ]

  /// Finds the categories that occur.
  ///
  /// - Throws: ``ApusError`` of kind `data` for no rows, or a cell that is no category.
  /// - Complexity: O(n · p).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> OneHotEncoderModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    let encodings = try data.occurringCategories(for: Self.name).map { categories in
      categories.map { CategoryEncoding(kept: kept($0), droppedCodes: dropped($0)) }
    }
    return OneHotEncoderModel(encodings: encodings, handleUnknown: handleUnknown)
  }

  private func kept(_ categories: [OccurringCategory]) -> [OccurringCategory] {
    Array(categories.dropFirst(dropped(categories).count))
  }

  private func dropped(_ categories: [OccurringCategory]) -> [Int] {
    switch drop {
    case nil: []
    case .first: categories.prefix(1).map(\.code)
    case .ifBinary: categories.count == 2 ? [categories[0].code] : []
    }
  }
}

/// The category that a ``OneHotEncoder`` leaves out.
public enum DroppedCategory: String, ParameterChoice {
  /// The first of every column.
  case first
  /// The first of the columns with exactly two.
  case ifBinary
}

/// What an encoder does with a category that did not occur in its fit, and with a missing value.
public enum UnknownCategory: String, ParameterChoice {
  /// It has no category: zeros from the one-hot encoder, a missing value from the ordinal encoder.
  case ignore
  /// It is refused.
  case error
}
