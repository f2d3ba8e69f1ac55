import ApusParallel

/// How many candidates a successive halving tries with how much of the resource, iteration by iteration.
///
/// The numbers are those of scikit-learn's `HalvingGridSearchCV`.
public struct HalvingSchedule: Sendable, Hashable {
  /// An iteration of a schedule.
  public struct Iteration: Sendable, Hashable {
    /// How many candidates are tried.
    public var candidates: Int
    /// The resource that each of them gets: rows of the data set, or trees.
    public var resource: Int
  }

  /// The iterations, in order.
  public let iterations: [Iteration]

  init(iterations: [Iteration]) { self.iterations = iterations }

  /// Plans a halving.
  ///
  /// - Parameters:
  ///   - candidates: the number of candidates at the beginning.
  ///   - factor: one candidate of so many stays after an iteration, and gets so many times the resource.
  ///   - smallest: the least resource of the first iteration.
  ///   - largest: the most resource that there is.
  ///   - exhausts: whether the first iteration gets as much as lets the last one come near `largest`; else it
  ///     gets `smallest`.
  ///   - eliminatesAggressively: whether the first iterations are repeated with the least resource where there
  ///     are too many candidates for the resource to grow from iteration to iteration, so that fewer than
  ///     `factor` candidates reach the last one.
  /// - Throws: ``ApusError`` of kind `invalidParameter`.
  public init(
    candidates: Int, factor: Int = 3, smallest: Int, largest: Int, exhausts: Bool = true,
    eliminatesAggressively: Bool = false
  ) throws {
    guard candidates >= 1, factor >= 2 else {
      throw ApusError(
        .invalidParameter,
        candidates < 1 ? "halving needs a candidate" : "halving needs a factor of at least 2, not \(factor)")
    }
    guard smallest >= 1, smallest <= largest else {
      throw ApusError(
        .invalidParameter, "halving cannot begin with \(smallest) of \(largest)",
        hint: "the least resource must lie between 1 and the most")
    }
    let required = 1 + Self.logarithm(candidates, base: factor)
    var least = smallest
    if exhausts { least = max(least, largest / Self.power(factor, required - 1)) }
    let possible = 1 + Self.logarithm(largest / least, base: factor)
    let count = eliminatesAggressively ? required : min(possible, required)
    var iterations: [Iteration] = []
    var left = candidates
    for iteration in 0..<count {
      let growth = eliminatesAggressively ? max(0, iteration - required + possible) : iteration
      let resource = Self.power(factor, growth).multipliedReportingOverflow(by: least)
      iterations.append(
        Iteration(
          candidates: left, resource: resource.overflow ? largest : min(resource.partialValue, largest)))
      left = Self.kept(of: left, factor: factor)
    }
    self.iterations = iterations
  }

  /// How many of some candidates stay after an iteration.
  static func kept(of candidates: Int, factor: Int) -> Int { (candidates - 1) / factor + 1 }

  /// The whole part of a logarithm, in whole numbers: 3 for 243 is 5, not 4.999….
  static func logarithm(_ value: Int, base: Int) -> Int {
    var (exponent, rest) = (0, value)
    while rest >= base {
      rest /= base
      exponent += 1
    }
    return exponent
  }

  /// A power; the largest number where it does not fit.
  static func power(_ base: Int, _ exponent: Int) -> Int {
    var result = 1
    for _ in 0..<exponent {
      let (product, overflow) = result.multipliedReportingOverflow(by: base)
      if overflow { return .max }
      result = product
    }
    return result
  }
}

extension HalvingSchedule {
  /// The trials of all iterations.
  var trialCount: Int { iterations.reduce(0) { $0 + $1.candidates } }
}

/// What grows while candidates are eliminated.
public enum HalvingResource: Sendable, Hashable {
  /// The rows to learn from: of each fold's training rows, the part that the resource is of all rows.
  case rows
  /// A hyperparameter, such as the number of trees, that no grid of the search varies.
  case hyperparameter(String)
}
