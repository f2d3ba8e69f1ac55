import Apus

/// What a saved model says about some rows.
struct Predictions: Encodable {
  /// One answer a row.
  enum Values {
    case labels([String])
    case numbers([Double])
    case clusters([Int32])
    /// The transformed features.
    case features(Matrix<Double>)
  }

  private let estimator: String
  /// The titles of the columns: the target, or the transformed features.
  private let titles: [String]
  private let values: Values
  private let classLabels: [String]?
  private let probabilities: Matrix<Double>?
  /// The number of rows.
  let rowCount: Int

  /// Predicts rows that were read for the model.
  ///
  /// - Throws: ``ApusError`` when the model cannot take them, or has no probabilities.
  init(_ saved: SavedModel, _ data: Dataset, withProbabilities: Bool, _ compute: ComputeContext) throws {
    estimator = saved.estimator.name
    rowCount = data.rowCount
    let target = saved.schema.targetName ?? "prediction"
    switch saved.model {
    case is any ClassificationModel:
      (titles, values) = ([target], .labels(try saved.predictLabels(data, compute)))
    case is any RegressionModel:
      (titles, values) = ([target], .numbers(try saved.predictValues(data, compute)))
    case is any ClusteringModel:
      (titles, values) = (["cluster"], .clusters(try saved.assignClusters(data, compute)))
    case let model as any TransformationModel:
      titles = model.transformedColumns(saved.schema.columns).map(\.name)
      values = .features(try model.transform(saved.features(of: data), compute))
    default: throw ApusError(.unsupported, "a \(saved.estimator.name) model predicts nothing")
    }
    classLabels = saved.classLabels.isEmpty ? nil : saved.classLabels
    probabilities = withProbabilities ? try saved.predictProbabilities(data, compute) : nil
  }

  // MARK: CSV

  /// A line of titles and a line a row; probabilities have a column for each class.
  var commaSeparated: String {
    var titles = titles
    if probabilities != nil { titles += (classLabels ?? []).map { "probability of \($0)" } }
    var text = CommaSeparated.row(titles)
    for row in 0..<rowCount {
      var cells = cells(of: row)
      if let probabilities { cells += Self.row(row, of: probabilities).map { "\($0)" } }
      text += CommaSeparated.row(cells)
    }
    return text
  }

  private func cells(of row: Int) -> [String] {
    switch values {
    case .labels(let values): [values[row]]
    case .numbers(let values): ["\(values[row])"]
    case .clusters(let values): ["\(values[row])"]
    case .features(let matrix): Self.row(row, of: matrix).map { $0.isNaN ? "" : "\($0)" }
    }
  }

  private static func row(_ row: Int, of matrix: Matrix<Double>) -> [Double] {
    (0..<matrix.columnCount).map { matrix[row, $0] }
  }

  private static func rows(of matrix: Matrix<Double>) -> [[Double]] {
    (0..<matrix.rowCount).map { row($0, of: matrix) }
  }

  // MARK: JSON

  private enum CodingKeys: String, CodingKey {
    case estimator, columns, predictions, classLabels, probabilities
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(estimator, forKey: .estimator)
    try container.encode(titles, forKey: .columns)
    switch values {
    case .labels(let values): try container.encode(values, forKey: .predictions)
    case .numbers(let values): try container.encode(values, forKey: .predictions)
    case .clusters(let values): try container.encode(values, forKey: .predictions)
    case .features(let matrix): try container.encode(Self.rows(of: matrix), forKey: .predictions)
    }
    try container.encodeIfPresent(classLabels, forKey: .classLabels)
    try container.encodeIfPresent(probabilities.map(Self.rows), forKey: .probabilities)
  }
}
