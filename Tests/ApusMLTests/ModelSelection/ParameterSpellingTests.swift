import ApusML
import ApusParallel
import Testing

/// A hyperparameter that is given by two of its names would lose one of its values.
@Suite struct ParameterSpellingTests {
  private func isRefusal(_ error: any Error, _ words: [String]) -> Bool {
    (error as? ApusError)?.kind == .invalidParameter && words.allSatisfy { "\(error)".contains($0) }
  }

  @Test func settingsByTwoNamesAreRefused() throws {
    #expect {
      try SVC().setting(["c": .integer(1), "C": .integer(2)])
    } throws: { isRefusal($0, ["svc: c is given twice", "'C' and 'c'"]) }
    let pipeline = try AnyEstimator(named: "standard-scaler+svc")
    #expect {
      try pipeline.base.setting(["c": .integer(1), "svc.c": .integer(2)])
    } throws: { isRefusal($0, ["svc.c is given twice", "'c' and 'svc.c'"]) }
    #expect(try SVC().setting(["C": .integer(3), "coef0": .integer(1)]).c == 3)
  }

  @Test func valuesByTwoNamesAreRefused() throws {
    #expect {
      try SearchSpace(
        estimators: [AnyEstimator(SVC())],
        parameters: [("c", .values([.integer(1), .integer(2)])), ("C", .values([.integer(3)]))])
    } throws: { isRefusal($0, ["svc: c is given twice", "one list"]) }
    #expect {
      try SearchSpace(
        .object(["svc": .object(["c": .list([.integer(1)]), "C": .list([.integer(2)])])]))
    } throws: { isRefusal($0, ["c is given twice"]) }
  }
}
