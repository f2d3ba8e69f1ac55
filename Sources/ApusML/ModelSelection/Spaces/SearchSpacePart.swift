import ApusParallel

/// One grid of a search space, its estimator's type forgotten.
///
/// Candidates are numbered as scikit-learn's `ParameterGrid` does: parameters in the order of their names, the
/// last one varying fastest.
package struct SearchSpacePart: Sendable {
  package let estimator: AnyEstimator
  /// The names of the hyperparameters that vary, sorted.
  package let names: [String]
  package let spaces: [ParameterSpace]
  private let problem: ApusError?
  /// The estimator with these values of the varying hyperparameters, in the order of `names`.
  package let make: @Sendable ([ParameterValue]) throws -> AnyEstimator
  private let read: @Sendable (AnyEstimator) -> [String: ParameterValue]

  init<E: Estimator>(_ grid: ParameterGrid<E>) {
    let dimensions = grid.dimensions.sorted { $0.parameter.name < $1.parameter.name }
    let parameters = dimensions.map(\.parameter)
    estimator = AnyEstimator(grid.estimator)
    names = parameters.map(\.name)
    spaces = dimensions.map(\.space)
    problem = grid.problem
    make = { values in
      var made = grid.estimator
      for position in parameters.indices {
        do { try parameters[position].set(values[position], in: &made) } catch var error as ApusError {
          error.message = "\(E.name): \(error.message)"
          throw error
        }
      }
      return AnyEstimator(made)
    }
    read = { candidate in
      guard let estimator = candidate.base as? E else { return [:] }
      var values: [String: ParameterValue] = [:]
      for parameter in parameters { values[parameter.name] = parameter.value(in: estimator) }
      return values
    }
  }

  /// - Throws: ``ApusError`` of kind `invalidParameter` for an unknown name, or two names of the same hyperparameter.
  init<E: Estimator>(_ estimator: E, _ parameters: [(name: String, space: ParameterSpace)]) throws {
    var spellings: [String: String] = [:]
    for (spelling, _) in parameters {
      let name = try E.hyperparameter(named: spelling).name
      guard let other = spellings.updateValue(spelling, forKey: name) else { continue }
      throw E.givenTwice(name, as: [other, spelling], hint: "write one list of all its values")
    }
    self.init(
      try parameters.reduce(ParameterGrid(estimator)) { try $0.varying($1.name, over: $1.space) })
  }

  /// The number of candidates, or the largest number where there are more than that; nil when a parameter is drawn from
  /// a distribution.
  package var count: Int? {
    spaces.reduce(1) { product, space in
      guard let product, let count = space.count else { return nil }
      let (result, overflow) = product.multipliedReportingOverflow(by: count)
      return overflow ? Int.max : result
    }
  }

  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  func check() throws {
    if let problem { throw problem }
    try estimator.base.validate()
    var first = try zip(names, spaces).map { name, space in
      try space.check(for: name)
      return space.samples[0]
    }
    for position in spaces.indices {
      let kept = first[position]
      for value in spaces[position].samples {
        first[position] = value
        _ = try make(first)
      }
      first[position] = kept
    }
  }

  /// The candidate with a number, where no parameter is drawn from a distribution.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a value of the wrong type or range.
  func candidate(at index: Int) throws -> AnyEstimator {
    var rest = index
    var values = [ParameterValue](repeating: .null, count: spaces.count)
    for position in spaces.indices.reversed() {
      guard case .values(let choices) = spaces[position] else { continue }
      values[position] = choices[rest % choices.count]
      rest /= choices.count
    }
    return try make(values)
  }

  /// A candidate drawn at random.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a value of the wrong type or range.
  func draw(_ random: inout RandomSource) throws -> AnyEstimator {
    var values: [ParameterValue] = []
    for space in spaces { values.append(space.draw(&random)) }
    return try make(values)
  }

  /// The values that a candidate of this part has for the varying hyperparameters.
  package func parameters(of candidate: AnyEstimator) -> [String: ParameterValue] { read(candidate) }
}
