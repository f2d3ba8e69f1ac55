import ApusParallel

/// The candidates of a search by number, made when they are needed.
package struct SearchCandidates: Sendable {
  package let count: Int
  private let make: @Sendable (Int) throws -> (SearchSpacePart, AnyEstimator)

  /// Every combination of a space.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` when a parameter is drawn from a distribution, or for more
  ///   candidates than a search can hold.
  package init(grid space: SearchSpace) throws {
    for part in space.parts {
      for (name, values) in zip(part.names, part.spaces) where values.count == nil {
        throw ApusError(
          .invalidParameter,
          "a grid search cannot try every value of a distribution, such as that of '\(name)'",
          hint: "list its values, or use a random search")
      }
    }
    count = space.count ?? 0
    try SearchLimits.check(
      candidates: count, of: "a grid", hint: "list fewer values, or use a random search")
    make = Self.maker(of: space)
  }

  /// Makes the candidates of a grid by number.
  private static func maker(
    of space: SearchSpace
  ) -> @Sendable (Int) throws -> (SearchSpacePart, AnyEstimator) {
    { index in
      var rest = index
      for part in space.parts.dropLast() {
        let size = part.count ?? 0
        if rest < size { return (part, try part.candidate(at: rest)) }
        rest -= size
      }
      let last = space.parts[space.parts.count - 1]
      return (last, try last.candidate(at: rest))
    }
  }

  /// Candidates drawn at random, each from its own number's seed.
  ///
  /// Where all parameters have lists of values, candidates are drawn without repetition, and there are no
  /// more of them than the grid has; else, or where a grid is too large to be numbered, an estimator's grid is drawn
  /// first, then each parameter.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for fewer than one draw, or more than a search can hold.
  package init(drawing draws: Int, from space: SearchSpace, seed: Seed) throws {
    guard draws >= 1 else {
      throw ApusError(.invalidParameter, "a random search needs at least 1 draw, but was given \(draws)")
    }
    count = min(draws, space.count ?? .max)
    try SearchLimits.check(candidates: count, of: "a random search", hint: "draw fewer")
    // Of more candidates than can be counted, none is drawn twice anyway.
    if let size = space.count, size < .max {
      let chosen = sample(count, of: size, seed.derived("candidates"))
      let grid = Self.maker(of: space)
      make = { try grid(chosen[$0]) }
      return
    }
    make = { index in
      var random = seed.derived("candidate", index).randomSource()
      let part = space.parts[random.integer(below: space.parts.count)]
      return (part, try part.draw(&random))
    }
  }

  /// One estimator as it is.
  init(_ estimator: AnyEstimator) throws { try self.init(grid: SearchSpace(estimators: [estimator])) }

  /// The candidate with a number.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a value of the wrong type or range.
  package func candidate(at index: Int) throws -> AnyEstimator { try make(index).1 }

  /// The candidate with a number and its varying hyperparameters.
  ///
  /// - Throws: ``ApusError`` of kind `invalidParameter` for a value of the wrong type or range.
  package func described(at index: Int) throws -> (
    estimator: AnyEstimator, parameters: [String: ParameterValue]
  ) {
    let (part, candidate) = try make(index)
    return (candidate, part.parameters(of: candidate))
  }
}

/// Distinct numbers below a bound in random order (Floyd's algorithm, then a shuffle): nothing of the bound's
/// size is made.
private func sample(_ count: Int, of bound: Int, _ seed: Seed) -> [Int] {
  var random = seed.randomSource()
  var chosen = Set<Int>()
  var order: [Int] = []
  for limit in bound - count..<bound {
    let drawn = random.integer(below: limit + 1)
    let number = chosen.insert(drawn).inserted ? drawn : limit
    chosen.insert(number)
    order.append(number)
  }
  random.shuffle(&order)
  return order
}
