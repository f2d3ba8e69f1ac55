import ApusData
import ApusLinearAlgebra
import ApusParallel

extension SavedModel {
  /// Features brought into the order of the model's columns, and what was left over.
  public struct MatchedFeatures: Sendable {
    /// The features as the model takes them, `n × p`.
    public let features: Matrix<Double>
    /// Names of columns that the model does not know, in the data's order; they were left out.
    public let ignored: [String]
  }

  /// Matches a data set's columns with the model's by name; order does not matter.
  ///
  /// Categories are translated into the model's numbering.
  ///
  /// - Throws: ``ApusError`` of kind `data` when columns are missing, a column holds categories where the
  ///   model wants numbers or the other way round, or a category was not there when the model was fitted.
  public func match(_ data: Dataset) throws -> MatchedFeatures {
    if data.columns == columns { return MatchedFeatures(features: data.features, ignored: []) }
    let positions = Dictionary(
      data.columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    let missing = columns.map(\.name).filter { positions[$0] == nil }
    guard missing.isEmpty else { throw missingColumns(missing, in: data) }
    let sources = columns.map { positions[$0.name]! }
    let translations = try zip(columns, sources).map { try translation(of: data, from: $1, to: $0) }
    let width = columns.count
    let features = Matrix<Double>(rowCount: data.rowCount, columnCount: width) { output in
      data.features.withUnsafeElements { input in
        for row in 0..<data.rowCount {
          for column in 0..<width {
            let value = input[row * data.featureCount + sources[column]]
            output[row * width + column] =
              translations[column].flatMap { value.isNaN ? nil : $0[Int(value)] } ?? value
          }
        }
      }
    }
    let known = Set(columns.map(\.name))
    let ignored = data.featureNames.filter { !known.contains($0) && $0 != targetName }
    return MatchedFeatures(features: features, ignored: ignored)
  }

  /// The predicted label of each row.
  ///
  /// - Throws: as ``match(_:)`` does; ``ApusError`` of kind `unsupported` when the model predicts no classes.
  public func predictLabels(_ data: Dataset, _ compute: ComputeContext = .allCPUs) throws -> [String] {
    let model = try ability((any ClassificationModel).self, "predict classes")
    let labels = model.classLabels
    return try model.predictClasses(match(data).features, compute).map { labels[Int($0)] }
  }

  /// The probability of each of ``classLabels``, `n × k`.
  ///
  /// - Throws: as ``match(_:)`` does; ``ApusError`` of kind `unsupported` when the model has no probabilities.
  public func predictProbabilities(
    _ data: Dataset, _ compute: ComputeContext = .allCPUs
  ) throws -> Matrix<Double> {
    try ability((any ProbabilityModel).self, "give probabilities")
      .predictProbabilities(match(data).features, compute)
  }

  /// The predicted number of each row.
  ///
  /// - Throws: as ``match(_:)`` does; ``ApusError`` of kind `unsupported` when the model predicts no numbers.
  public func predictValues(_ data: Dataset, _ compute: ComputeContext = .allCPUs) throws -> [Double] {
    try ability((any RegressionModel).self, "predict numbers").predict(match(data).features, compute)
  }

  /// The number of each row's cluster.
  ///
  /// - Throws: as ``match(_:)`` does; ``ApusError`` of kind `unsupported` when the model has no clusters.
  public func assignClusters(_ data: Dataset, _ compute: ComputeContext = .allCPUs) throws -> [Int32] {
    try ability((any ClusteringModel).self, "assign clusters").assignClusters(match(data).features, compute)
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
    let known = Set(columns.map(\.name))
    let spare = data.featureNames.filter { !known.contains($0) }
    let near = spare.nearest(to: missing[0])
    return ApusError(
      .data, "the model needs \(noun) \(named)\(more), which the data does not have",
      hint: near.map { "is '\($0)' meant to be '\(missing[0])'?" }
        ?? "the model was fitted on: \(columns.map(\.name).prefix(20).joined(separator: ", "))")
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
      return try found.map { category in
        if let number = numbers[category] { return number }
        throw ApusError(
          .data, "column '\(column.name)' holds '\(category)', which the model has never seen",
          hint: "known: \(known.prefix(20).joined(separator: ", "))")
      }
    }
  }
}
