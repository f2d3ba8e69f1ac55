import ApusData
import ApusLinearAlgebra
import ApusParallel

/// Treats numeric and categorical columns differently: each kind goes through a transformer of its own.
///
/// The results stand side by side, those of the numeric columns first. Where a data set has columns of one kind
/// only, the other transformer is not fitted. Both sides may be pipelines, and ``Passthrough`` leaves columns as
/// they are.
///
/// ```swift
/// var columns = ColumnTransformer(
///   numeric: Pipeline(SimpleImputer(), StandardScaler()), categorical: OneHotEncoder())
/// columns.categorical.drop = .first
/// let estimator = Pipeline(columns, LogisticRegression())
/// ```
///
/// Its name joins the sides by a slash, `standard-scaler/one-hot-encoder`, and hyperparameters are named after
/// the sides: `numeric.withMean`, `categorical.drop`.
public struct ColumnTransformer<
  Numeric: TransformerEstimator, Categorical: TransformerEstimator
>: TransformerEstimator {
  /// What the numeric columns go through.
  public var numeric: Numeric
  /// What the categorical columns go through.
  public var categorical: Categorical

  /// Joins the transformers of both kinds.
  public init(numeric: Numeric, categorical: Categorical) {
    self.numeric = numeric
    self.categorical = categorical
  }

  /// Both transformers with their default hyperparameters.
  public init() { self.init(numeric: Numeric(), categorical: Categorical()) }

  /// The transformers' names, joined by `/`; pipelines in parentheses.
  public static var name: String {
    func grouped<Side: Estimator>(_ side: Side.Type) -> String {
      side is any AnyPipeline.Type ? "(\(side.name))" : side.name
    }
    return "\(grouped(Numeric.self))/\(grouped(Categorical.self))"
  }

  /// The transformers' summaries.
  public static var summary: String {
    "Numeric columns: \(Numeric.summary) Categorical columns: \(Categorical.summary)"
  }

  /// Transformation.
  public static var task: LearningTask { .transformation }

  /// The hyperparameters of both transformers, with `numeric` and `categorical` before them.
  public static var hyperparameters: [Hyperparameter<ColumnTransformer>] {
    Numeric.hyperparameters.map {
      $0.lifted(through: \ColumnTransformer.numeric, prefix: "numeric", aliasPrefix: "numeric")
    }
      + Categorical.hyperparameters.map {
        $0.lifted(through: \ColumnTransformer.categorical, prefix: "categorical", aliasPrefix: "categorical")
      }
  }

  /// Checks both transformers.
  public func validate() throws {
    try numeric.validate()
    try categorical.validate()
  }

  /// Fits each transformer on the columns of its kind.
  ///
  /// - Throws: ``ApusError`` as the transformers do.
  public func fit(
    _ data: Dataset, _ context: FitContext
  ) throws -> ColumnTransformerModel<Numeric.Model, Categorical.Model> {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    let numericColumns = data.columns.indices.filter { !data.columns[$0].isCategorical }
    let categoricalColumns = data.columns.indices.filter { data.columns[$0].isCategorical }
    func fit<Side: TransformerEstimator>(_ side: Side, on columns: [Int], index: Int) throws -> Side.Model? {
      guard !columns.isEmpty else { return nil }
      let part = data.replacingFeatures(
        data.features.gatheringColumns(columns), columns: columns.map { data.columns[$0] })
      return try side.fit(
        part, FitContext(seed: context.seed.derived("side", index), compute: context.compute))
    }
    return ColumnTransformerModel(
      numericColumns: numericColumns, categoricalColumns: categoricalColumns,
      numeric: try fit(numeric, on: numericColumns, index: 0),
      categorical: try fit(categorical, on: categoricalColumns, index: 1))
  }
}

// Its hyperparameters carry their sides' names, so a pipeline puts nothing before them.
extension ColumnTransformer: AnyPipeline {}

/// What a ``ColumnTransformer`` learnt.
public struct ColumnTransformerModel<
  Numeric: TransformationModel, Categorical: TransformationModel
>: TransformationModel {
  /// The columns that were numeric.
  public let numericColumns: [Int]
  /// The columns that were categorical.
  public let categoricalColumns: [Int]
  /// What the numeric columns go through; nil where there are none.
  public let numeric: Numeric?
  /// What the categorical columns go through; nil where there are none.
  public let categorical: Categorical?

  /// The number of features, `p`.
  public var featureCount: Int { numericColumns.count + categoricalColumns.count }

  /// The columns of both sides, the numeric ones first.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] {
    (numeric?.transformedColumns(numericColumns.map { columns[$0] }) ?? [])
      + (categorical?.transformedColumns(categoricalColumns.map { columns[$0] }) ?? [])
  }

  /// The transformed columns of both sides.
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    let left = try numeric?.transform(features.gatheringColumns(numericColumns), compute)
    let right = try categorical?.transform(features.gatheringColumns(categoricalColumns), compute)
    guard let left else { return right ?? features }
    return right.map(left.appendingColumns) ?? left
  }
}

/// Leaves the features as they are: for the side of a ``ColumnTransformer`` that needs nothing.
public struct Passthrough: TransformerEstimator {
  /// Creates a transformer that changes nothing.
  public init() {}

  /// `passthrough`.
  public static let name = "passthrough"
  /// What it does.
  public static let summary = "Leaves the features as they are."
  /// Transformation.
  public static let task = LearningTask.transformation
  /// None.
  public static let hyperparameters: [Hyperparameter<Passthrough>] = []

  /// Remembers the number of features.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> PassthroughModel {
    PassthroughModel(featureCount: data.featureCount)
  }
}

/// The model of ``Passthrough``.
public struct PassthroughModel: TransformationModel {
  /// The number of features, `p`.
  public let featureCount: Int

  /// The same columns.
  public func transformedColumns(_ columns: [Feature]) -> [Feature] { columns }

  /// The same features.
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    return features
  }
}
