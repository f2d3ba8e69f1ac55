import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Turns every categorical column into one column of numbers: the position of the category in its order.
///
/// Numeric columns stay as they are. Categories are counted from 0 in alphabetical order, or as numbers where
/// they are numbers; ``orders`` gives the order of columns that have a better one. Only categories that occur
/// in the rows it is fitted on are counted; the others, and missing values, become missing values unless
/// ``handleUnknown`` says otherwise.
///
/// ```swift
/// var encoder = OrdinalEncoder()
/// encoder.orders = CategoryOrders(["cut": ["Fair", "Good", "Very Good", "Premium", "Ideal"]])
/// ```
public struct OrdinalEncoder: TransformerEstimator {
  /// What becomes of a category that did not occur in the fit, and of a missing value.
  public var handleUnknown = UnknownCategory.ignore
  /// The categories of some columns from lowest to highest.
  public var orders = CategoryOrders()

  /// Creates an encoder that ignores unknown categories.
  public init() {}

  /// `ordinal-encoder`.
  public static let name = "ordinal-encoder"
  /// What it does.
  public static let summary = "Turns each categorical column into the positions of its categories."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<OrdinalEncoder>] = [
    Hyperparameter(
      "handleUnknown", \.handleUnknown,
      "What becomes of missing values and of categories that the fit did not see: a missing value, or an error."
    ),
    Hyperparameter("orders", \.orders, "The categories of some columns, from lowest to highest."),
  ]

  /// Finds the categories that occur and puts them in order.
  ///
  /// - Throws: ``ApusError`` of kind `data` for no rows, a cell that is no category, or a category that the
  ///   order of its column leaves out; `invalidParameter` for the order of a column that is not there.
  /// - Complexity: O(n · p).
  public func fit(_ data: Dataset, _ context: FitContext) throws -> OrdinalEncoderModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    for name in orders.byColumn.keys
    where data.columns.first(where: { $0.name == name })?.isCategorical != true {
      throw ApusError(
        .invalidParameter, "\(Self.name): there is no categorical column '\(name)' to order",
        hint: "categorical columns: "
          + data.columns.filter(\.isCategorical).map(\.name).joined(separator: ", "))
    }
    let occurring = try data.occurringCategories(for: Self.name)
    let encodings = try zip(data.columns, occurring).map { column, categories in
      try categories.map { CategoryEncoding(kept: try ordered($0, column: column.name)) }
    }
    return OrdinalEncoderModel(encodings: encodings, handleUnknown: handleUnknown)
  }

  private func ordered(_ categories: [OccurringCategory], column: String) throws -> [OccurringCategory] {
    guard let order = orders.byColumn[column] else { return categories }
    if let left = categories.first(where: { !order.contains($0.name) }) {
      throw ApusError(
        .data, "\(Self.name): the order of '\(column)' leaves out the category '\(left.name)'",
        hint: "name every category of the column")
    }
    return order.enumerated().map { position, name in
      // A category that does not occur keeps its position, under a code that no cell has.
      categories.first { $0.name == name } ?? OccurringCategory(code: -1 - position, name: name)
    }
  }
}

/// The order of the categories of some columns, for an ``OrdinalEncoder``.
public struct CategoryOrders: Sendable, Hashable, Codable {
  /// Categories from lowest to highest, by column.
  public var byColumn: [String: [String]]

  /// Creates orders.
  public init(_ byColumn: [String: [String]] = [:]) { self.byColumn = byColumn }
}

extension CategoryOrders: ParameterConvertible {
  /// `null or {column: [category, …], …}`.
  public static var parameterType: String { "null or {column: [category, …], …}" }

  /// Takes null, or lists of distinct words by column.
  public init?(parameterValue: ParameterValue) {
    self.init()
    if case .null = parameterValue { return }
    guard case .object(let columns) = parameterValue else { return nil }
    for (column, value) in columns {
      guard case .list(let values) = value else { return nil }
      byColumn[column] = values.map(\.description)
      guard Set(values).count == values.count else { return nil }
    }
  }

  /// Null without orders, lists of words by column otherwise.
  public var parameterValue: ParameterValue {
    byColumn.isEmpty ? .null : .object(byColumn.mapValues { .list($0.map { .string($0) }) })
  }
}
