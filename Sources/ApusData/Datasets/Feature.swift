/// A column of a data set: its name and, where its cells are not numbers but names of categories, those names.
public struct Feature: Hashable, Sendable, Codable {
  /// The column's name.
  public var name: String
  /// The categories of a categorical column, sorted; a cell holds the position of its category as a number.
  /// Nil for a numeric column.
  public var categories: [String]?

  /// Creates a description of a column.
  public init(name: String, categories: [String]? = nil) {
    self.name = name
    self.categories = categories
  }

  /// Whether the cells are positions of categories rather than measured numbers.
  public var isCategorical: Bool { categories != nil }
}
