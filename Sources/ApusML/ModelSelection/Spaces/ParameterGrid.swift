import ApusParallel

/// An estimator and the values that a search gives to some of its hyperparameters.
///
/// ```swift
/// let forests = ParameterGrid(RandomForestClassifier())
///   .varying(\.maxDepth, [4, 8, nil])
///   .varying(\.treeCount, [100, 200])
/// let ridges = ParameterGrid(Ridge()).varying(\.alpha, over: .logUniform(1e-3, 1e3))
/// ```
public struct ParameterGrid<E: Estimator>: Sendable {
  /// The estimator; hyperparameters that do not vary keep the values they have in it.
  public let estimator: E
  var dimensions: [(parameter: Hyperparameter<E>, space: ParameterSpace)] = []
  // Kept until the search starts, so that grids can be written without `try`.
  var problem: ApusError?

  /// A grid of one candidate: the estimator as it is.
  public init(_ estimator: E) { self.estimator = estimator }

  /// This grid with a hyperparameter that takes each of some values.
  public func varying<Value: ParameterConvertible>(
    _ keyPath: any WritableKeyPath<E, Value> & Sendable, _ values: [Value]
  ) -> ParameterGrid {
    varying(keyPath, over: .values(values.map(\.parameterValue)))
  }

  /// This grid with a hyperparameter that takes values of a space.
  public func varying<Value: ParameterConvertible>(
    _ keyPath: any WritableKeyPath<E, Value> & Sendable, over space: ParameterSpace
  ) -> ParameterGrid {
    var grid = self
    let wanted: AnyKeyPath = keyPath
    if let parameter = E.hyperparameters.first(where: { $0.keyPath == wanted }) {
      grid.add(parameter, space)
    } else {
      grid.problem = ApusError(
        .invalidParameter, "\(E.name): \(keyPath) is not one of its hyperparameters",
        hint: "valid parameters: \(E.hyperparameters.map(\.name).joined(separator: ", "))")
    }
    return grid
  }

  /// This grid with a hyperparameter, known by its name, that takes values of a space.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when the estimator has no such hyperparameter.
  public func varying(_ name: String, over space: ParameterSpace) throws -> ParameterGrid {
    var grid = self
    grid.add(try E.hyperparameter(named: name), space)
    return grid
  }

  private mutating func add(_ parameter: Hyperparameter<E>, _ space: ParameterSpace) {
    dimensions.removeAll { $0.parameter.name == parameter.name }
    dimensions.append((parameter, space))
  }
}
