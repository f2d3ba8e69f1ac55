/// The estimators that come with Apus; a new one is added to this list.
enum BuiltInEstimators {
  static let all: [any Estimator.Type] = [
    DummyClassifier.self,
    DummyRegressor.self,
    GaussianNaiveBayes.self,
    KMeans.self,
    KNeighboursClassifier.self,
    KNeighboursRegressor.self,
    LogisticRegression.self,
    MaxAbsScaler.self,
    MinMaxScaler.self,
    MiniBatchKMeans.self,
    Normalizer.self,
    PCA.self,
    Ridge.self,
    RobustScaler.self,
    SVC.self,
    SVR.self,
    StandardScaler.self,
    RandomForestClassifier.self, RandomForestRegressor.self, ExtraTreesClassifier.self,
    ExtraTreesRegressor.self, DecisionTreeClassifier.self, DecisionTreeRegressor.self,
    TruncatedSVD.self,
  ]
}
