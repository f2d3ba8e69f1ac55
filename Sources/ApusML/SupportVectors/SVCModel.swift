import ApusLinearAlgebra
import ApusParallel

/// The support vectors that ``SVC`` found.
public struct SVCModel: ProbabilityModel, DecisionModel {
  /// The labels of the classes, `k` of them.
  public let classLabels: [String]
  /// The support vectors, class after class.
  public let supportVectors: Matrix<Double>
  /// The rows of the training data that the support vectors were.
  public let supportRows: [Int]
  /// The number of support vectors of each class.
  public let supportCounts: [Int]
  /// The coefficients of each support vector against each other class in order, `s × (k − 1)`.
  public let coefficients: Matrix<Double>
  /// What is added to the decision value of each pair of classes, in the order (0, 1), (0, 2), …, (1, 2), ….
  public let biases: [Double]
  /// How the solvers ended, those of the calibration among them: all steps together, and the largest violation of
  /// optimality.
  public let convergence: Convergence?
  private let kernel: KernelFunction
  private let calibrations: [PlattCalibration]?

  init(
    kernel: KernelFunction, labels: [String], pairs: ClassPairs, rowsOfClass: [[Int]],
    solutions: [SupportVectorSolution], calibrations: [PlattCalibration]?, features: Matrix<Double>
  ) {
    self.kernel = kernel
    self.calibrations = calibrations
    classLabels = labels
    let k = labels.count
    // The coefficients of every row of positive weight, k − 1 each, class after class.
    var all = rowsOfClass.map { [Double](repeating: 0, count: $0.count * (k - 1)) }
    for (index, solution) in solutions.enumerated() {
      let (first, second) = pairs[index]
      let firstCount = rowsOfClass[first].count
      for (position, coefficient) in solution.coefficients.enumerated() {
        if position < firstCount {
          all[first][position * (k - 1) + second - 1] = coefficient
        } else {
          all[second][(position - firstCount) * (k - 1) + first] = coefficient
        }
      }
    }
    var (rows, counts, kept) = ([Int](), [Int](), [Double]())
    for label in 0..<k {
      let before = rows.count
      for (position, row) in rowsOfClass[label].enumerated() {
        let own = all[label][position * (k - 1)..<(position + 1) * (k - 1)]
        guard own.contains(where: { $0 != 0 }) else { continue }
        rows.append(row)
        kept += own
      }
      counts.append(rows.count - before)
    }
    supportRows = rows
    supportCounts = counts
    supportVectors = features.gatheringRows(rows)
    coefficients = Matrix(rowCount: rows.count, columnCount: k - 1) { _ = $0.update(fromContentsOf: kept) }
    let centring = Self.centringOfBiases(kernel, supportVectors, counts, coefficients)
    biases = zip(solutions, centring).map { $0.bias - $1 }
    convergence = Convergence(combining: solutions.map(\.convergence))
  }

  /// Whether the fit learnt probabilities, as ``SVC/probability`` asked.
  public var givesProbabilities: Bool { calibrations != nil }

  /// The number of features, `p`.
  public var featureCount: Int { supportVectors.columnCount }

  /// The factor γ of the kernel.
  public var gamma: Double { kernel.gamma }

  /// The class with most votes of the pairs; the lower one of a draw.
  public func predictClasses(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Int32] {
    let k = classLabels.count
    let values = try decisionValues(features, compute)
    return values.withUnsafeElements { values in
      (0..<features.rowCount).map { row in
        withUnsafeTemporaryAllocation(of: Int32.self, capacity: k) { votes in
          votes.initialize(repeating: 0)
          var pair = row * values.count / max(1, features.rowCount)
          for first in 0..<k {
            for second in first + 1..<max(first + 1, k) {
              votes[values[pair] > 0 ? first : second] += 1
              pair += 1
            }
          }
          var winner = 0
          for label in 1..<k where votes[label] > votes[winner] { winner = label }
          return Int32(winner)
        }
      }
    }
  }

  /// The probability of each class, `n × k`: decision values through Platt's sigmoid, pairs coupled as by Wu,
  /// Lin and Weng.
  ///
  /// As in libsvm, the most probable class need not be the predicted one.
  ///
  /// - Throws: ``ApusError`` of kind `unsupported` when the fit did not learn probabilities.
  public func predictProbabilities(
    _ features: Matrix<Double>, _ compute: ComputeContext
  ) throws -> Matrix<Double> {
    guard let calibrations else {
      throw ApusError(
        .unsupported, "\(SVC.name): this model was fitted without probabilities",
        hint: "set probability to true")
    }
    let k = classLabels.count
    let values = try decisionValues(features, compute)
    return Matrix(rowCount: features.rowCount, columnCount: k) { target in
      var pairwise = [Double](repeating: 0, count: k * k)
      for row in 0..<features.rowCount {
        var pair = 0
        for first in 0..<k {
          for second in first + 1..<max(first + 1, k) {
            let share = calibrations[pair].probability(values[row, pair])
            pairwise[first * k + second] = min(1 - 1e-7, max(1e-7, share))
            pairwise[second * k + first] = 1 - pairwise[first * k + second]
            pair += 1
          }
        }
        let probabilities =
          k == 2 ? [pairwise[1], pairwise[2]] : coupledProbabilities(pairwise, classCount: k)
        for label in 0..<k { target[row * k + label] = probabilities[label] }
      }
    }
  }

  /// The decision values of the one pair, with the sign that speaks for the second class.
  public func secondClassScores(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> [Double] {
    try requireTwoClasses()
    return try decisionValues(features, compute).column(0).map { -$0 }
  }

  /// The decision value of each pair of classes, `n × k(k − 1)/2`, in the order of ``biases``: above 0 for the
  /// first class of the pair.
  ///
  /// For two classes, scikit-learn gives the value the other sign.
  ///
  /// - Throws: ``ApusError`` of kind `shape` or `data` for features it cannot take.
  /// - Complexity: O(n · s · (p + k)).
  public func decisionValues(
    _ features: Matrix<Double>, _ compute: ComputeContext = .allCPUs
  ) throws -> Matrix<Double> {
    try checkFeatures(features)
    try features.requireFinite(for: SVC.name)
    let centring = Self.centringOfBiases(kernel, supportVectors, supportCounts, coefficients)
    let expansion = PairwiseExpansion(
      kernel: kernel, supportVectors: supportVectors, counts: supportCounts, coefficients: coefficients,
      biases: zip(biases, centring).map { $0 + $1 })
    return try expansion.values(features, compute)
  }

  /// What each pair's bias lacks because points were moved for the kernel.
  private static func centringOfBiases(
    _ kernel: KernelFunction, _ vectors: Matrix<Double>, _ counts: [Int], _ coefficients: Matrix<Double>
  ) -> [Double] {
    let pairs = ClassPairs(count: counts.count)
    var sums = [Double](repeating: 0, count: pairs.count)
    guard let centring = kernel.centring(of: vectors) else { return sums }
    let starts = counts.reduce(into: [0]) { $0.append($0.last! + $1) }
    for index in sums.indices {
      let (first, second) = pairs[index]
      for row in starts[first]..<starts[first + 1] {
        sums[index] += coefficients[row, second - 1] * centring[row]
      }
      for row in starts[second]..<starts[second + 1] {
        sums[index] += coefficients[row, first] * centring[row]
      }
    }
    return sums
  }
}

extension Convergence {
  /// All steps together, and the worst end.
  init(combining parts: [Convergence]) {
    self.init(
      iterations: parts.reduce(0) { $0 + $1.iterations }, converged: parts.allSatisfy(\.converged),
      residual: parts.map(\.residual).max() ?? 0)
  }
}
