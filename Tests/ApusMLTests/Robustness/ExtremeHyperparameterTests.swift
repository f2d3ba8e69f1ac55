import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// Every number that a hyperparameter can be given, however large or small: a model or an error, never a trap.
@Suite struct ExtremeHyperparameterTests {
  private static let extremes: [ParameterValue] = [
    .integer(.max), .integer(.min), .integer(1_000_000_000_000_000_000), .integer(1 << 31), .real(1e18),
    .real(1e300), .real(-1e300), .real(.leastNonzeroMagnitude), .real(.nan), .real(.infinity),
  ]

  /// Those that say how often to do the same again: the fit would be right, and would end in some thousand years.
  private static let repetitions: Set<String> = ["k-means.initCount"]

  private static let rows = (0..<14).map { row -> [Double] in
    let square = Double(row * row % 7)
    return [Double(row % 4), Double(row % 3) - 1, square / 2]
  }

  private static func data(for task: LearningTask) throws -> Dataset {
    let target: Target =
      task == .regression
      ? .values(rows.map { $0[0] - 2 * $0[1] + $0[2] })
      : .classes(rows.indices.map { $0 % 5 < 3 ? "a" : "b" })
    return try Dataset(features: Matrix(rows), target: target)
  }

  @Test(arguments: LibraryEstimators.names) func aModelOrAnError(name: String) throws {
    try check(EstimatorRegistry.shared.type(named: name))
  }

  private func check<E: Estimator>(_ type: E.Type) throws {
    let data = try Self.data(for: E.task)
    for parameter in E.hyperparameters where !Self.repetitions.contains("\(E.name).\(parameter.name)") {
      var admitted = 0
      for value in Self.extremes {
        var estimator = E()
        // Support vectors take millions of steps towards a tolerance that rounding keeps them from.
        if parameter.name == "tolerance" {
          estimator = (try? estimator.setting(["maxIterations": .integer(1000)])) ?? estimator
        }
        // What the range refuses is left in place, as a program could have set it.
        do { try parameter.set(value, in: &estimator) } catch let error as ApusError {
          #expect(error.kind == .invalidParameter)
          guard parameter.value(in: estimator) != parameter.value(in: E()) else { continue }
        }
        admitted += 1
        let place: Comment = "\(E.name) with \(parameter.name) = \(value)"
        do {
          let model = try estimator.fit(data, FitContext(seed: Seed(1), compute: .sequential))
          #expect(model.featureCount == 3, place)
          #expect(parameter.range.contains(value), place)
        } catch let error as ApusError {
          let kinds: [ApusError.Kind] = [.invalidParameter, .data, .numerical, .shape]
          #expect(kinds.contains(error.kind), "\(place): \(error)")
          #expect(error.message.contains(E.name), "\(place): \(error)")
        }
      }
      // A parameter of numbers must have taken some of these, or the test says nothing about it.
      let isNumber = parameter.value(in: E()).number != nil
      #expect(!isNumber || admitted > 0, "\(E.name).\(parameter.name)")
    }
  }

  @Test func sharesBeyondTheWholeAreRefused() throws {
    let data = try Self.data(for: .classification)
    for share in [1e18, 2, 1.0000001, 0, -1, .nan] {
      var forest = RandomForestClassifier()
      forest.minSamplesLeaf = .fraction(share)
      #expect { try forest.fit(data) } throws: { ($0 as? ApusError)?.kind == .invalidParameter }
      forest = RandomForestClassifier()
      forest.maxFeatures = .fraction(share)
      #expect { try forest.fit(data) } throws: { ($0 as? ApusError)?.kind == .invalidParameter }
    }
  }

  @Test func limitsBeyondTheDataAreThoseOfTheData() throws {
    let data = try Self.data(for: .classification)
    func fit<E: Estimator>(_ change: (inout E) -> Void) throws -> E.Model {
      var estimator = E()
      change(&estimator)
      return try estimator.fit(data, FitContext(seed: Seed(1), compute: .sequential))
    }
    let largest = try fit { (e: inout MiniBatchKMeans) in (e.clusterCount, e.batchSize) = (2, 14) }
    let larger = try fit { (e: inout MiniBatchKMeans) in (e.clusterCount, e.batchSize) = (2, .max) }
    #expect(larger.centres == largest.centres && larger.convergence == largest.convergence)
    let stump = try fit { (e: inout DecisionTreeClassifier) in e.minSamplesLeaf = .count(.max) }
    #expect(stump.nodeCount == 1)
    let cached = try fit { (e: inout SVC) in e.cacheSize = 1e300 }
    let plain = try fit { (e: inout SVC) in e.cacheSize = 200 }
    #expect(cached.coefficients == plain.coefficients)
  }
}
