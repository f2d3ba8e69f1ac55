/// What a model must know of the data it was fitted on in order to read more of the same: the features in
/// their order, and the target.
public struct DatasetSchema: Hashable, Sendable, Codable {
  /// The features' names and categories, in the order in which the model takes them.
  public var columns: [Feature]
  /// The name of the target column, if it had one.
  public var targetName: String?
  /// The labels of a target of classes; nil for a target of numbers, or none.
  public var classLabels: [String]?

  /// Creates a schema.
  public init(columns: [Feature], targetName: String? = nil, classLabels: [String]? = nil) {
    self.columns = columns
    self.targetName = targetName
    self.classLabels = classLabels
  }
}

extension Dataset {
  /// What a model fitted on this data must know to read more of it.
  public var schema: DatasetSchema {
    var labels: [String]?
    if case .classes(_, let all) = target { labels = all }
    return DatasetSchema(columns: columns, targetName: targetName, classLabels: labels)
  }
}
