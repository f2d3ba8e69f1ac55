/// The estimators that come with Apus; a new one is added to this list.
enum BuiltInEstimators {
  static let all: [any Estimator.Type] = [
    ElasticNet.self,
    KMeans.self,
    Lasso.self,
    LinearRegression.self,
    LinearSVC.self,
    LogisticRegression.self,
    Ridge.self,
    SGDClassifier.self,
    SGDRegressor.self,
    StandardScaler.self,
    RandomForestClassifier.self, RandomForestRegressor.self, ExtraTreesClassifier.self,
    ExtraTreesRegressor.self, DecisionTreeClassifier.self, DecisionTreeRegressor.self,
  ]
}
