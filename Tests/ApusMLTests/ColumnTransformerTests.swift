import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Foundation
import Testing

@Suite struct ColumnTransformerTests {
  private let data: Dataset

  init() throws {
    data = try Dataset(
      csvText: "colour,a,size,b,y\nred,1,s,2,1.5\nblue,3,l,4,2.5\n,5,s,,3.5\nred,7,l,9,4.25\n",
      options: TableOptions(target: "y", targetKind: .values))
  }

  @Test func eachKindGoesThroughItsOwnTransformer() throws {
    let transformer = ColumnTransformer(
      numeric: Pipeline(SimpleImputer(), StandardScaler()), categorical: OneHotEncoder())
    let model = try transformer.fit(data)
    #expect(
      model.transformedColumns(data.columns).map(\.name)
        == ["a", "b", "colour=blue", "colour=red", "size=l", "size=s"])
    let result = try model.transform(data.features)
    #expect(abs(result[0, 0] + 3 / 5.0.squareRoot()) < 1e-14)
    #expect(abs(result[2, 1]) < 1e-15)
    #expect(result.rows(2..<3).elements.suffix(4) == [0, 0, 0, 1])
  }

  @Test func aKindThatIsNotThereIsNotFitted() throws {
    let numbers = try Dataset(features: Matrix([[1.0], [3]]))
    let model = try ColumnTransformer(numeric: StandardScaler(), categorical: OneHotEncoder()).fit(numbers)
    #expect(model.categorical == nil)
    #expect(try model.transform(numbers.features).elements == [-1, 1])
  }

  @Test(arguments: [
    "standard-scaler/one-hot-encoder", "(simple-imputer+standard-scaler)/ordinal-encoder",
    "simple-imputer+standard-scaler/one-hot-encoder+ridge", "passthrough/one-hot-encoder+ridge",
  ])
  func namesLeadToTypesAndBack(name: String) throws {
    let estimator = try AnyEstimator(named: name)
    #expect(estimator.name == name)
    try estimator.base.validate()
    let stored = try JSONEncoder().encode(estimator)
    #expect(try JSONDecoder().decode(AnyEstimator.self, from: stored) == estimator)
  }

  @Test func columnsOfSomeNamesAreTransformed() throws {
    var selected = SelectedColumns(["b", "a"], SimpleImputer())
    let model = try selected.fit(data)
    #expect(model.transformedColumns(data.columns).map(\.name) == ["b", "a", "colour", "size"])
    let result = try model.transform(data.features)
    #expect(result.rows(2..<3).elements.prefix(2) == [5, 5])
    #expect(result.rows(0..<1).elements[2] == data.features[0, 0])
    selected.others = .dropped
    #expect(try selected.fit(data).transform(data.features).columnCount == 2)

    // The same as the numeric side of a column transformer, seen through a model.
    let number = try Dataset(csvText: "a,b,y\n1,2,1\n3,4,2\n5,9,4\n", options: TableOptions(target: "y"))
    let one = try Pipeline(SelectedColumns(["a", "b"], StandardScaler()), Ridge()).fit(number)
    let other = try Pipeline(StandardScaler(), Ridge()).fit(number)
    #expect(try one.predict(number.features) == other.predict(number.features))
    let stored = try JSONEncoder().encode(selected)
    #expect(try JSONDecoder().decode(SelectedColumns<SimpleImputer>.self, from: stored) == selected)
    #expect(try selected.setting(["strategy": .string("median")]).transformer.strategy == .median)
  }

  @Test func columnsThatAreNotThereAreNamed() {
    let missing = #expect(throws: ApusError.self) {
      try SelectedColumns(["a", "weight"], StandardScaler()).fit(data)
    }
    #expect(missing?.message == "selected-standard-scaler: the data has no column “weight”")
    #expect(missing?.kind == .data && missing?.hint == "its columns are colour, a, size, b")
    let twice = #expect(throws: ApusError.self) {
      try SelectedColumns(["a", "a"], StandardScaler()).validate()
    }
    #expect(twice?.message == "selected-standard-scaler: the column “a” is named twice")
    let none = #expect(throws: ApusError.self) { try SelectedColumns<StandardScaler>().validate() }
    #expect(none?.kind == .invalidParameter && none?.message.hasSuffix("columns is empty") == true)
  }

  @Test func namesThatCannotBeAreRefused() {
    for name in ["ridge/one-hot-encoder", "a/b/c", "standard-scaler/", "(ridge", "ridge+ridge"] {
      #expect(throws: ApusError.self, "\(name)") { try AnyEstimator(named: name) }
    }
  }

  @Test func hyperparametersAreNamedAfterTheSides() throws {
    typealias Columns = ColumnTransformer<Pipeline<SimpleImputer, StandardScaler>, OneHotEncoder>
    let estimator = try Pipeline<Columns, Ridge>().setting([
      "numeric.simpleImputer.strategy": .string("median"), "categorical__drop": .string("first"),
      "withMean": .boolean(false), "ridge.alpha": .real(0.5),
    ])
    #expect(estimator.first.numeric.first.strategy == .median)
    #expect(estimator.first.numeric.last.withMean == false)
    #expect(estimator.first.categorical.drop == .first)
    #expect(estimator.last.alpha == 0.5)
  }

  @Test func pipelinesFitOnMixedColumnsAndAreStored() throws {
    let estimator = Pipeline(
      SimpleImputer(),
      Pipeline(ColumnTransformer(numeric: StandardScaler(), categorical: OneHotEncoder()), Ridge()))
    let model = try estimator.fit(data)
    let stored = try JSONEncoder().encode(model)
    let copy = try JSONDecoder().decode(type(of: model), from: stored)
    #expect(try copy.predict(data.features) == model.predict(data.features))
    #expect(try model.predict(data.features).count == 4)
  }
}
