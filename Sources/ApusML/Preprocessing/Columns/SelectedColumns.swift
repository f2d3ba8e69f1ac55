import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Gives the columns of some names to a transformer; the others stay as they are, or are left out.
///
/// The transformed columns come first, the others after them in their order. Several in a pipeline treat several
/// groups of columns, each naming columns as the one before it left them:
///
/// ```swift
/// let estimator = Pipeline(
///   SelectedColumns(["carat", "depth"], StandardScaler()),
///   Pipeline(SelectedColumns(["table"], KBinsDiscretizer()), Ridge()))
/// ```
///
/// ``ColumnTransformer`` chooses columns by their kind instead. For searches on worker
/// processes or clusters, register the pipeline with ``EstimatorRegistry``.
public struct SelectedColumns<Transformer: TransformerEstimator>: TransformerEstimator {
  /// The names of the columns, in the order in which the transformer gets them.
  public var columns: [String]
  /// What they go through.
  public var transformer: Transformer
  /// What becomes of the other columns.
  public var others: OtherColumns

  /// Gives columns to a transformer.
  public init(_ columns: [String], _ transformer: Transformer, others: OtherColumns = .kept) {
    self.columns = columns
    self.transformer = transformer
    self.others = others
  }

  /// No columns yet, and the transformer with its default hyperparameters.
  public init() { self.init([], Transformer()) }

  /// The transformer's name behind `selected-`.
  public static var name: String { "selected-\(Transformer.name)" }

  /// The transformer's summary.
  public static var summary: String { "Columns of some names: \(Transformer.summary)" }

  /// Transformation.
  public static var task: LearningTask { .transformation }

  /// What becomes of the other columns, and the transformer's hyperparameters.
  public static var hyperparameters: [Hyperparameter<SelectedColumns>] {
    [Hyperparameter("others", \SelectedColumns.others, "What becomes of the other columns.")]
      + Transformer.hyperparameters.map {
        $0.lifted(through: \SelectedColumns.transformer, prefix: nil, aliasPrefix: "transformer")
      }
  }

  /// Checks the transformer, and that there are columns, none of them twice.
  public func validate() throws {
    try transformer.validate()
    let twice = Dictionary(grouping: columns, by: \.self).filter { $1.count > 1 }.keys.sorted()
    guard columns.isEmpty || !twice.isEmpty else { return }
    throw ApusError(
      .invalidParameter,
      twice.isEmpty
        ? "\(Self.name): columns is empty" : "\(Self.name): the column “\(twice[0])” is named twice",
      hint: "name the columns that the transformer is for, each once")
  }

  /// Finds the columns and fits the transformer on them.
  ///
  /// - Throws: ``ApusError`` of kind `data` for a name that the data set does not have, or as the transformer does.
  public func fit(
    _ data: Dataset, _ context: FitContext
  ) throws -> SelectedColumnsModel<Transformer.Model> {
    try validate()
    let names = data.columns.map(\.name)
    let chosen = try columns.map { name in
      guard let index = names.firstIndex(of: name) else {
        let listed = names.prefix(12).joined(separator: ", ")
        throw ApusError(
          .data, "\(Self.name): the data has no column “\(name)”",
          hint: "its columns are \(listed)\(names.count > 12 ? ", …" : "")")
      }
      return index
    }
    let part = data.replacingFeatures(
      data.features.gatheringColumns(chosen), columns: chosen.map { data.columns[$0] })
    let isChosen = Set(chosen)
    return SelectedColumnsModel(
      featureCount: data.featureCount, chosen: chosen,
      others: others == .kept ? names.indices.filter { !isChosen.contains($0) } : [],
      transformer: try transformer.fit(part, context))
  }
}

/// What becomes of the columns that a ``SelectedColumns`` does not name.
public enum OtherColumns: String, ParameterChoice {
  /// They come after the transformed ones.
  case kept
  /// They are left out.
  case dropped
}

/// What a ``SelectedColumns`` learnt.
public struct SelectedColumnsModel<Transformer: TransformationModel>: TransformationModel {
  /// The number of features, `p`.
  public let featureCount: Int
  /// The positions of the columns that are transformed.
  public let chosen: [Int]
  /// The positions of the columns that stay as they are.
  public let others: [Int]
  /// What the chosen columns go through.
  public let transformer: Transformer

  /// The transformed columns and then the others.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] {
    transformer.transformedColumns(chosen.map { columns[$0] }) + others.map { columns[$0] }
  }

  /// The transformed columns and then the others.
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    let transformed = try transformer.transform(features.gatheringColumns(chosen), compute)
    return transformed.appendingColumns(features.gatheringColumns(others))
  }
}
