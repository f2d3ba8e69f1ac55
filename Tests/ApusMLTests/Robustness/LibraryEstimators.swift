import ApusML

/// The estimators of the library itself, without those that tests register.
enum LibraryEstimators {
  static var all: [any Estimator.Type] {
    EstimatorRegistry.shared.all.filter { String(reflecting: $0).hasPrefix("ApusML.") }
  }

  /// Their names.
  static var names: [String] { all.map { $0.name } }

  /// Each with its default options.
  static var defaults: [any Estimator] { all.map { $0.init() } }

  /// Options that go another way than the default ones do.
  static let variants: [any Estimator] = [
    LinearRegression(positive: true), LinearRegression(fitIntercept: false), Ridge(positive: true),
    Ridge(alpha: 0), ElasticNet(positive: true),
    LogisticRegression(penalty: .l1), LogisticRegression(penalty: .elasticnet, l1Ratio: 0.5),
    LogisticRegression(penalty: .none, maxIterations: 100), LogisticRegression(classWeight: .balanced),
    changed(SVC()) { $0.kernel = .linear }, changed(SVC()) { $0.kernel = .polynomial },
    changed(SVC()) { $0.kernel = .sigmoid }, changed(SVC()) { $0.probability = true },
    changed(SVR()) { $0.kernel = .linear }, changed(SVR()) { $0.kernel = .polynomial },
    changed(DecisionTreeClassifier()) { $0.criterion = .entropy },
    changed(DecisionTreeRegressor()) { $0.splits = .exact },
    changed(RandomForestRegressor()) { ($0.treeCount, $0.criterion) = (5, .absoluteError) },
    changed(RandomForestRegressor()) { ($0.treeCount, $0.criterion) = (5, .poisson) },
    changed(RandomForestClassifier()) { ($0.treeCount, $0.criterion) = (5, .entropy) },
    changed(RandomForestClassifier()) { ($0.treeCount, $0.maxLeafNodes) = (5, 8) },
    changed(RandomForestClassifier()) { ($0.treeCount, $0.outOfBagScore) = (5, true) },
    changed(RandomForestClassifier()) { ($0.treeCount, $0.classWeight) = (5, .balancedSubsample) },
    changed(RandomForestRegressor()) { ($0.treeCount, $0.outOfBagScore) = (5, true) },
    changed(ExtraTreesRegressor()) { ($0.treeCount, $0.criterion) = (5, .absoluteError) },
    changed(ExtraTreesClassifier()) { ($0.treeCount, $0.maxLeafNodes, $0.bootstrap) = (5, 8, true) },
    changed(KMeans()) { $0.initialization = .random },
    changed(MiniBatchKMeans()) { ($0.initialization, $0.batchSize) = (.random, 100) },
    changed(KNeighboursClassifier()) { $0.neighbourCount = 1 },
    changed(KNeighboursRegressor()) { ($0.neighbourCount, $0.weights) = (1, .distance) },
    changed(PCA()) { $0.whiten = true }, changed(PCA()) { $0.componentCount = .varianceShare(0.9) },
    changed(KBinsDiscretizer()) { $0.strategy = .uniform },
    changed(KBinsDiscretizer()) { ($0.encode, $0.binCount) = (.ordinal, 20) },
    changed(PolynomialFeatures()) { $0.interactionOnly = true },
    changed(SimpleImputer()) { $0.strategy = .mostFrequent },
    SGDClassifier(loss: .logLoss, batchSize: 8), SGDClassifier(penalty: .l1, averages: true),
    SGDRegressor(loss: .huber, batchSize: 8), SGDRegressor(penalty: .elasticnet, learningRate: .constant),
    changed(DummyClassifier()) { $0.strategy = .stratified },
    changed(DummyRegressor()) { $0.strategy = .quantile },
  ]

  private static func changed<E: Estimator>(_ estimator: E, _ change: (inout E) -> Void) -> E {
    var estimator = estimator
    change(&estimator)
    return estimator
  }
}

extension Estimator {
  /// The name, and the options that are not the default ones.
  var description: String {
    let defaults = Self().parameters
    let changes = parameters.filter { $0.value != defaults[$0.key] }.sorted { $0.key < $1.key }
    return ([Self.name] + changes.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
  }
}
