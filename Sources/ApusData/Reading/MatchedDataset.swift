/// Data that was read for a model: its features in the model's order, and what about the file was not as the
/// model knows it.
public struct MatchedDataset: Sendable {
  /// The data. The target is `none` where the file has no such column. Labels that the model does not know come
  /// after those it knows.
  public let dataset: Dataset
  /// The columns of the file that the model does not use.
  public let ignoredColumns: [String]
  /// For each categorical feature with cells that the model has never seen, their number; they were read as
  /// missing values.
  public let unseenCategories: [String: Int]
}
