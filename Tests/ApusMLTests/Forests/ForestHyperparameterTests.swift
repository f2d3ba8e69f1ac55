import ApusData
import ApusML
import ApusParallel
import Testing

@Suite struct ForestHyperparameterTests {
  @Test(arguments: [
    ("n_estimators", ParameterValue.integer(0)), ("maxDepth", .integer(0)),
    ("min_samples_split", .integer(1)),
    ("minSamplesSplit", .real(0)), ("minSamplesLeaf", .integer(0)), ("minSamplesLeaf", .real(1.5)),
    ("minWeightFractionLeaf", .real(0.6)), ("max_features", .string("cube")), ("maxFeatures", .real(0)),
    ("maxLeafNodes", .integer(1)), ("minImpurityDecrease", .real(-0.1)), ("maxSamples", .integer(-3)),
    ("criterion", .string("twoing")), ("maxBins", .integer(257)), ("splits", .string("some")),
  ])
  func valuesOutOfRangeAreRefused(name: String, value: ParameterValue) {
    #expect {
      let forest = try RandomForestClassifier().setting([name: value])
      try forest.validate()
    } throws: { error in
      (error as? ApusError)?.kind == .invalidParameter && "\(error)".contains("random-forest-classifier")
    }
  }

  @Test func valuesSetInSwiftAreRefusedByTheFit() throws {
    let data = try Dataset(bundled: "iris")
    var forest = RandomForestClassifier()
    forest.minSamplesLeaf = .count(0)
    #expect(throws: ApusError.self) { try forest.fit(data) }
    forest = RandomForestClassifier()
    forest.bootstrap = false
    forest.outOfBagScore = true
    #expect(throws: ApusError.self) { try forest.fit(data) }
    forest.outOfBagScore = false
    forest.maxSamples = 0.5
    #expect(throws: ApusError.self) { try forest.fit(data) }
    forest.bootstrap = true
    forest.maxSamples = 151
    #expect { try forest.fit(data) } throws: { "\($0)".contains("maxSamples is 151") }
  }

  @Test func scikitLearnsSpellingsAreTaken() throws {
    let forest = try RandomForestClassifier().setting([
      "n_estimators": .integer(7), "max_features": .string("log2"), "max_depth": .null,
      "min_samples_leaf": .integer(1), "min_samples_split": .real(0.1),
      "class_weight": .string("balanced_subsample"),
      "criterion": .string("log_loss"), "oob_score": .boolean(true), "max_samples": .real(1.0),
    ])
    #expect(forest.treeCount == 7)
    #expect(forest.maxFeatures == .log2)
    #expect(forest.minSamplesSplit == .fraction(0.1))
    #expect(forest.classWeight == .balancedSubsample)
    #expect(forest.criterion == .logLoss)
    #expect(forest.outOfBagScore)
    for parameter in RandomForestClassifier.hyperparameters {
      var copy = forest
      try parameter.set(parameter.value(in: forest), in: &copy)
      #expect(copy == forest)
    }
  }

  @Test func targetsThatDoNotSuitAreRefused() throws {
    let iris = try Dataset(bundled: "iris")
    #expect(throws: ApusError.self) { try RandomForestRegressor().fit(iris) }
    let diabetes = try Dataset(bundled: "diabetes")
    #expect(throws: ApusError.self) { try RandomForestClassifier().fit(diabetes) }
    var poisson = DecisionTreeRegressor()
    poisson.criterion = .poisson
    let negative = try Dataset(
      features: diabetes.features.rows(0..<2), target: .values([1, -1]))
    #expect { try poisson.fit(negative) } throws: { "\($0)".contains("at least 0") }
    let model = try DecisionTreeRegressor().fit(diabetes)
    #expect { try model.predict(iris.features) } throws: { (error: any Error) in
      (error as? ApusError)?.kind == .shape
    }
  }

  @Test func cancellationStopsAFit() throws {
    let compute = ComputeContext(threads: 2)
    compute.cancellation.cancel()
    #expect {
      try RandomForestClassifier().fit(Dataset(bundled: "iris"), FitContext(compute: compute))
    } throws: { ($0 as? ApusError)?.kind == .cancelled }
  }
}
