import ApusData
import ApusLinearAlgebra
import ApusParallel
import Foundation

/// Adds the products of features up to a degree: `a`, `b`, `a^2`, `a b`, `b^2`.
///
/// ```swift
/// var estimator = Pipeline(PolynomialFeatures(), Ridge())
/// estimator.first.degree = 3
/// ```
public struct PolynomialFeatures: TransformerEstimator {
  /// The largest degree of a product.
  public var degree = 2
  /// Whether a product may have each feature only once.
  public var interactionOnly = false
  /// Whether a column of ones comes first.
  public var includeBias = true

  /// Creates a transformer of degree 2.
  public init() {}

  /// `polynomial-features`.
  public static let name = "polynomial-features"
  /// What it does.
  public static let summary = "Adds the products of features up to a degree."
  /// Transformation.
  public static let task = LearningTask.transformation

  /// The most columns that are made; more would be a mistake in the degree rather than a wish.
  static let columnLimit = 1_000_000

  /// The hyperparameters.
  public static let hyperparameters: [Hyperparameter<PolynomialFeatures>] = [
    Hyperparameter("degree", \.degree, in: .between(0, 64), "The largest degree of a product."),
    Hyperparameter(
      "interactionOnly", \.interactionOnly, "Whether a product may have each feature only once."),
    Hyperparameter("includeBias", \.includeBias, "Whether a column of ones comes first."),
  ]

  /// Checks the degree, and that there will be a column.
  public func validate() throws {
    try checkRanges()
    guard degree > 0 || includeBias else {
      throw ApusError(.invalidParameter, "\(Self.name): degree 0 without includeBias makes no column")
    }
  }

  /// Lists the products.
  ///
  /// - Throws: ``ApusError`` of kind `data` for categorical columns, missing or infinite values, no rows, or
  ///   more than a million products.
  public func fit(_ data: Dataset, _ context: FitContext) throws -> PolynomialFeaturesModel {
    try validate()
    try data.requireRowsWithWeight(for: Self.name)
    try data.requireFiniteNumbers(for: Self.name)
    var products: [PolynomialFeaturesModel.Product] = []
    if includeBias { products.append(.init(factor: nil, feature: nil)) }
    // Each product of degree d is one of degree d − 1 times a feature that does not come before its last.
    var bases: [(index: Int?, firstFeature: Int)] = [(nil, 0)]
    for _ in 0..<degree {
      var longer: [(index: Int?, firstFeature: Int)] = []
      for base in bases {
        for feature in stride(from: base.firstFeature, to: data.featureCount, by: 1) {
          guard products.count < Self.columnLimit else { throw Self.tooMany(degree, data.featureCount) }
          longer.append((products.count, interactionOnly ? feature + 1 : feature))
          products.append(.init(factor: base.index, feature: feature))
        }
      }
      bases = longer
    }
    return PolynomialFeaturesModel(featureCount: data.featureCount, products: products)
  }

  private static func tooMany(_ degree: Int, _ featureCount: Int) -> ApusError {
    ApusError(
      .data, "\(name): degree \(degree) of \(featureCount) features makes more than a million columns",
      hint: "choose a smaller degree, or interactionOnly")
  }
}

/// The products that ``PolynomialFeatures`` makes.
public struct PolynomialFeaturesModel: TransformationModel {
  /// A product: an earlier product times a feature. Without a factor it is the feature, without either it is 1.
  struct Product: Codable, Sendable {
    var factor: Int?
    var feature: Int?
  }

  /// The number of features, `p`.
  public let featureCount: Int
  let products: [Product]

  /// `1`, `a`, `a^2`, `a b`, ….
  public func transformedColumns(_ columns: [Feature]) -> [Feature] {
    var powers: [[(feature: Int, power: Int)]] = []
    for product in products {
      var factors = product.factor.map { powers[$0] } ?? []
      if let feature = product.feature {
        if factors.last?.feature == feature {
          factors[factors.count - 1].power += 1
        } else {
          factors.append((feature, 1))
        }
      }
      powers.append(factors)
    }
    return powers.map { factors in
      let words = factors.map { columns[$0.feature].name + ($0.power > 1 ? "^\($0.power)" : "") }
      return Feature(name: words.isEmpty ? "1" : words.joined(separator: " "))
    }
  }

  /// Checks that the products fit into memory, beside a copy that the next step may make.
  private func requireMemory(rows: Int) throws {
    let memory = Int(ProcessInfo.processInfo.physicalMemory)
    guard rows > memory / (2 * MemoryLayout<Double>.stride) / max(1, products.count) else { return }
    throw ApusError(
      .data,
      "\(PolynomialFeatures.name): \(products.count) products of \(rows) rows do not fit this machine's memory",
      hint: "choose a smaller degree, or interactionOnly, or select columns before it")
  }

  /// The products, each by one multiplication.
  ///
  /// - Throws: ``ApusError`` of kind `shape`; `data` for more products than fit into memory; `numerical` for products that
  ///   are too large for a Double.
  /// - Complexity: O(n · columns made).
  public func transform(_ features: Matrix<Double>, _ compute: ComputeContext) throws -> Matrix<Double> {
    try checkFeatures(features)
    let (p, width) = (featureCount, products.count)
    try requireMemory(rows: features.rowCount)
    let blocks = RowBlocks(rowCount: features.rowCount, minimumSize: 1 + (1 << 15) / max(1, width))
    let factors = products.map { $0.factor ?? -1 }
    let sources = products.map { $0.feature ?? -1 }
    let made = try Matrix<Double>(rowCount: features.rowCount, columnCount: width) { target in
      // Blocks write disjoint rows.
      nonisolated(unsafe) let target = target
      try compute.forEach(blocks.count) { block in
        features.withUnsafeElements { source in
          factors.withUnsafeBufferPointer { factors in
            sources.withUnsafeBufferPointer { sources in
              for row in blocks[block] {
                let start = row &* width
                for column in 0..<width {
                  let value = sources[column] < 0 ? 1 : source[row &* p &+ sources[column]]
                  target[start &+ column] =
                    factors[column] < 0 ? value : target[start &+ factors[column]] * value
                }
              }
            }
          }
        }
      }
    }
    if !made.areFinite, features.areFinite {
      throw ApusError(
        .numerical, "\(PolynomialFeatures.name): products of the features are too large for a Double",
        hint: "put standard-scaler before it: standard-scaler+\(PolynomialFeatures.name)")
    }
    return made
  }
}
