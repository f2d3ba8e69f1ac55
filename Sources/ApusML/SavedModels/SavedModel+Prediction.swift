import ApusData
import ApusLinearAlgebra
import ApusParallel

extension SavedModel {
  /// The features of a data set as the model takes them, `n × p`: its columns found by name, in its order.
  ///
  /// Columns that the model does not know are left out; categories are translated into the model's numbering,
  /// and those it has never seen become missing values. (Files are matched as they are read:
  /// ``MatchedDataset``.)
  ///
  /// - Throws: ``ApusError`` of kind `data` when columns are missing, or one holds categories where the model
  ///   wants numbers or the other way round.
  public func features(of data: Dataset) throws -> Matrix<Double> {
    let columns = schema.columns
    if data.columns == columns { return data.features }
    let positions = Dictionary(
      data.columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    let missing = columns.map(\.name).filter { positions[$0] == nil }
    guard missing.isEmpty else { throw missingColumns(missing, in: data) }
    let sources = columns.map { positions[$0.name]! }
    let translations = try zip(columns, sources).map { try translation(of: data, from: $1, to: $0) }
    let width = columns.count
    return Matrix<Double>(rowCount: data.rowCount, columnCount: width) { output in
      data.features.withUnsafeElements { input in
        for row in 0..<data.rowCount {
          for column in 0..<width {
            var value = input[row * data.featureCount + sources[column]]
            if let translation = translations[column], !value.isNaN { value = translation[Int(value)] }
            output[row * width + column] = value
          }
        }
      }
    }
  }

  /// The predicted label of each row.
  ///
  /// - Throws: as ``features(of:)`` does; ``ApusError`` of kind `unsupported` when the model predicts no classes.
  public func predictLabels(_ data: Dataset, _ compute: ComputeContext = .allCPUs) throws -> [String] {
    let model = try ability((any ClassificationModel).self, "predict classes")
    let labels = model.classLabels
    return try model.predictClasses(features(of: data), compute).map { labels[Int($0)] }
  }

  /// The probability of each of ``classLabels``, `n × k`.
  ///
  /// - Throws: as ``features(of:)`` does; ``ApusError`` of kind `unsupported` when the model has no probabilities.
  public func predictProbabilities(
    _ data: Dataset, _ compute: ComputeContext = .allCPUs
  ) throws -> Matrix<Double> {
    try ability((any ProbabilityModel).self, "give probabilities")
      .predictProbabilities(features(of: data), compute)
  }

  /// The predicted number of each row.
  ///
  /// - Throws: as ``features(of:)`` does; ``ApusError`` of kind `unsupported` when the model predicts no numbers.
  public func predictValues(_ data: Dataset, _ compute: ComputeContext = .allCPUs) throws -> [Double] {
    try ability((any RegressionModel).self, "predict numbers").predict(features(of: data), compute)
  }

  /// The number of each row's cluster.
  ///
  /// - Throws: as ``features(of:)`` does; ``ApusError`` of kind `unsupported` when the model has no clusters.
  public func assignClusters(_ data: Dataset, _ compute: ComputeContext = .allCPUs) throws -> [Int32] {
    try ability((any ClusteringModel).self, "assign clusters").assignClusters(features(of: data), compute)
  }

  private func ability<Ability>(_ type: Ability.Type, _ what: String) throws -> Ability {
    guard let able = model as? Ability else {
      throw ApusError(.unsupported, "a \(estimator.name) model cannot \(what)")
    }
    return able
  }

  private func missingColumns(_ missing: [String], in data: Dataset) -> ApusError {
    let named = missing.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
    let more = missing.count > 5 ? " and \(missing.count - 5) more" : ""
    let noun = missing.count == 1 ? "column" : "columns"
    let known = Set(schema.columns.map(\.name))
    let spare = data.featureNames.filter { !known.contains($0) }
    let near = spare.nearest(to: missing[0])
    return ApusError(
      .data, "the model needs \(noun) \(named)\(more), which the data does not have",
      hint: near.map { "is '\($0)' meant to be '\(missing[0])'?" }
        ?? "the model was fitted on: \(schema.columns.map(\.name).prefix(20).joined(separator: ", "))")
  }

  /// What each category number of the data is in the model; nil for numeric columns.
  private func translation(of data: Dataset, from position: Int, to column: Feature) throws -> [Double]? {
    switch (data.columns[position].categories, column.categories) {
    case (nil, nil): return nil
    case (let found?, nil):
      throw ApusError(
        .data,
        "column '\(column.name)' must hold numbers for this model, but it holds text such as "
          + "'\(found.first ?? "")'")
    case (nil, .some):
      let isEmpty = (0..<data.rowCount).allSatisfy { data.features[$0, position].isNaN }
      if isEmpty { return nil }
      throw ApusError(
        .data, "column '\(column.name)' must hold categories for this model, but it holds numbers",
        hint: "read the column as categories")
    case (let found?, let known?):
      let numbers = Dictionary(uniqueKeysWithValues: known.enumerated().map { ($1, Double($0)) })
      return found.map { numbers[$0] ?? .nan }
    }
  }
}
