import ApusData
import ApusLinearAlgebra
import ApusParallel
import Synchronization

/// A support vector classifier: the widest margin between classes, seen through a kernel.
///
/// Several classes are learnt pair by pair; prediction is by majority of the pairs' votes, the lower class
/// winning a draw, as in scikit-learn and libsvm. Problems are solved by sequential minimal optimisation with
/// kernel values in single precision and all else in Double.
///
/// ```swift
/// var estimator = SVC()
/// estimator.c = 10
/// let model = try estimator.fit(data)
/// ```
///
/// Features should have comparable scales; put a ``StandardScaler`` before it where they do not.
public struct SVC: Estimator {
  /// The price of a row on the wrong side of its margin; a smaller one regularises more.
  public var c = 1.0
  /// The kernel.
  public var kernel = SupportVectorKernel.rbf
  /// The factor γ of the kernels `rbf`, `polynomial` and `sigmoid`.
  public var gamma = KernelGamma.scale
  /// The degree of the kernel `polynomial`.
  public var degree = 3
  /// The constant c₀ of the kernels `polynomial` and `sigmoid`.
  public var coef0 = 0.0
  /// The largest violation of the optimality conditions of a solution.
  public var tolerance = 1e-3
  /// How much the rows of each class count, beside their own weights.
  public var classWeight = ClassWeight.uniform
  /// Whether probabilities are learnt too, by five more fits of each pair of classes; the model's convergence
  /// is then that of all fits.
  public var probability = false
  /// The most steps for a pair of classes; nil: 100 a row, and at least ten million.
  public var maxIterations: Int?
  /// The memory for rows of the kernel matrix, in megabytes.
  public var cacheSize = 200.0

  /// Creates a classifier with the defaults of scikit-learn.
  public init() {}

  /// `svc`.
  public static let name = "svc"
  /// What it does.
  public static let summary = "Support vector classifier with a kernel; several classes pair by pair."
  /// Classification.
  public static let task = LearningTask.classification

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<SVC>] = [
    Hyperparameter("c", \.c, alias: "C", in: .above(0), "The price of rows on the wrong side."),
    Hyperparameter("kernel", \.kernel, "The kernel."),
    Hyperparameter("gamma", \.gamma, in: .above(0), "The kernel's factor γ."),
    Hyperparameter("degree", \.degree, in: .between(0, 50), "The degree of the polynomial kernel."),
    Hyperparameter("coef0", \.coef0, "The constant of the polynomial and sigmoid kernels."),
    Hyperparameter(
      "tolerance", \.tolerance, alias: "tol", in: .above(0), "The largest violation of optimality."),
    Hyperparameter("classWeight", \.classWeight, "How much each class counts."),
    Hyperparameter("probability", \.probability, "Whether probabilities are learnt too."),
    Hyperparameter(
      "maxIterations", \.maxIterations, alias: "max_iter", in: .atLeast(1),
      "The most steps for a pair of classes; null: 100 a row, at least ten million."),
    Hyperparameter("cacheSize", \.cacheSize, in: .above(0), "Megabytes for rows of the kernel matrix."),
  ]

  /// Finds the support vectors of every pair of classes.
  ///
  /// - Throws: ``ApusError``: `data` for missing values, categories or fewer than two classes; `numerical`
  ///   when kernel values overflow; `cancelled`.
  /// - Complexity: between O(n² · p) and O(n³ · p) for n rows of a pair of classes, by how hard it is.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> SVCModel {
    try validate()
    return try fit(data, context, shared: nil)
  }

  /// Finds the support vectors, with what other fits have computed where there is such.
  func fit(_ data: Dataset, _ context: FitContext, shared: SharedKernel?) throws -> SVCModel {
    let input = try ClassificationInput(data, estimator: Self.name, classWeight: classWeight)
    try data.requireFiniteNumbers(for: Self.name)
    let function = KernelFunction(
      kernel, gamma: gamma, constant: coef0, degree: degree, features: data.features)
    try function.requirePrecision(data.features, estimator: Self.name)
    let rowsOfClass = input.rowsOfPositiveWeight
    let pairs = ClassPairs(count: input.labels.count)
    let points = shared?.points ?? function.points(data.features)
    let memories = MemoryPool()
    // Each pair's own fit, and those of its calibration.
    let fitsOfPair = probability ? 1 + SupportVectorPair.calibrationFolds : 1
    let fitCount = pairs.count * fitsOfPair
    let byteLimit = KernelRowCache.bytes(megabytes: cacheSize) / min(context.compute.threads, fitCount)
    let problems = (0..<pairs.count).map { index in
      let (first, second) = pairs[index]
      return SupportVectorPair(
        estimator: self, kernel: function, points: points, products: shared?.products,
        rows: rowsOfClass[first] + rowsOfClass[second],
        firstCount: rowsOfClass[first].count, weights: input.weights, byteLimit: byteLimit,
        seed: context.seed.derived("calibration", index))
    }
    context.compute.progress?.begin("pairs of classes", of: fitCount)
    let parts = try context.compute.map(fitCount) { index -> SupportVectorPair.Part in
      let (pair, part) = index.quotientAndRemainder(dividingBy: fitsOfPair)
      defer { context.compute.progress?.advance() }
      return try memories.lend { memory in
        try part == 0
          ? .whole(problems[pair].solve(memory, context.compute.cancellation))
          : .heldOut(problems[pair].heldOutValues(fold: part - 1, memory, context.compute.cancellation))
      }
    }
    var fits: [(solution: SupportVectorSolution, calibration: PlattCalibration?)] = []
    for (index, pair) in problems.enumerated() {
      fits.append(pair.combining(parts[index * fitsOfPair..<(index + 1) * fitsOfPair]))
    }
    return SVCModel(
      kernel: function, labels: input.labels, pairs: pairs, rowsOfClass: rowsOfClass,
      solutions: fits.map(\.solution), calibrations: probability ? fits.compactMap(\.calibration) : nil,
      features: data.features)
  }
}

extension ClassificationInput {
  /// All rows, class after class.
  var rowsByClass: [Int] {
    var rows = [[Int]](repeating: [], count: labels.count)
    for (row, label) in classes.enumerated() { rows[Int(label)].append(row) }
    return rows.flatMap(\.self)
  }

  /// The rows of each class that weigh something.
  fileprivate var rowsOfPositiveWeight: [[Int]] {
    var rows = [[Int]](repeating: [], count: labels.count)
    for (row, label) in classes.enumerated() where weights.map({ $0[row] > 0 }) ?? true {
      rows[Int(label)].append(row)
    }
    return rows
  }
}

/// Memory for kernel rows that problems borrow in turn, one piece for each that runs at a time.
private final class MemoryPool: Sendable {
  private let idle = Mutex<[KernelRowMemory]>([])

  func lend<Result>(_ body: (KernelRowMemory) throws -> Result) rethrows -> Result {
    let memory = idle.withLock { $0.popLast() } ?? KernelRowMemory()
    defer { idle.withLock { $0.append(memory) } }
    return try body(memory)
  }
}

/// The pairs of classes in the order (0, 1), (0, 2), …, (1, 2), ….
struct ClassPairs: Sendable, Codable {
  private let pairs: [[Int]]

  init(count: Int) {
    pairs = (0..<count).flatMap { first in (first + 1..<max(first + 1, count)).map { [first, $0] } }
  }

  var count: Int { pairs.count }

  subscript(index: Int) -> (first: Int, second: Int) { (pairs[index][0], pairs[index][1]) }
}
