import ApusML
import ApusParallel
import Testing

@Suite struct ParameterSpaceTests {
  @Test(
    arguments: [
      ("[4, 8, null]", [.integer(4), .integer(8), .null]), ("4,8", [.integer(4), .integer(8)]),
      ("range(1,10,2)", [1, 3, 5, 7, 9].map { .integer($0) }),
      ("range(0, 0.3, 0.1)", [.integer(0), .real(0.1), .real(0.2), .real(0.30000000000000004)]),
      ("linear(0,1,5)", [0, 0.25, 0.5, 0.75, 1].map { .real($0) }),
      ("log(1e-3,1e3,7)", [0.001, 0.01, 0.1, 1, 10, 100, 1000].map { .real($0) }),
      ("gini", [.string("gini")]), ("['a b', \"c\", True]", [.string("a b"), .string("c"), .boolean(true)]),
      (
        "[null, balanced, {a: 1, b: 2.5}]",
        [.null, .string("balanced"), .object(["a": .integer(1), "b": .real(2.5)])]
      ),
      ("1e-3", [.real(0.001)]), ("-5", [.integer(-5)]),
      ("[[1, 2], []]", [.list([.integer(1), .integer(2)]), .list([])]),
    ] as [(String, [ParameterValue])])
  func listsAreReadAsTheyAreWritten(text: String, values: [ParameterValue]) throws {
    #expect(try ParameterSpace(parsing: text) == .values(values))
  }

  @Test func distributionsAreRead() throws {
    #expect(try ParameterSpace(parsing: "uniform(0, 2)") == .uniform(0, 2))
    #expect(try ParameterSpace(parsing: "loguniform(1e-3,1e3)") == .logUniform(1e-3, 1e3))
    #expect(try ParameterSpace(parsing: "integer(1, 9)") == .integer(1, 9))
  }

  @Test(arguments: [
    ("[1, 2", "',' or ']'"), ("log(1)", "log(from, to, count)"), ("log(0,1,5)", "positive ends"),
    ("logg(1,2,3)", "did you mean 'log'?"), ("range(1,10,-1)", "no numbers in it"), ("", "a value"),
    ("linear(0,1,2.5)", "whole number"), ("[1] 2", "nothing more"), ("'abc", "closing '"),
  ])
  func mistakesSayWhatWasExpected(text: String, part: String) {
    #expect {
      try ParameterSpace(parsing: text)
    } throws: { ($0 as? ApusError)?.kind == .invalidParameter && "\($0)".contains(part) }
  }

  @Test func assignmentsAreSplitAtTheFirstSign() throws {
    let (name, space) = try ParameterSpace.parsingAssignment("maxDepth=[4,null]")
    #expect(name == "maxDepth" && space == .values([.integer(4), .null]))
    #expect { try ParameterSpace.parsingAssignment("maxDepth") } throws: { "\($0)".contains("name=values") }
    #expect { try ParameterSpace.parsingAssignment("c=log(1)") } throws: { "\($0)".hasPrefix("c: ") }
  }

  @Test func decodedTreesAreSpaces() throws {
    EstimatorRegistry.shared.register(ScaledMean.self)
    let space = try SearchSpace(
      .list([
        .object([
          "estimator": .string("scaled-mean"),
          "parameters": .object([
            "factor": .string("linear(0, 1, 3)"), "offset": .list([.integer(1), .real(2)]),
          ]),
        ]),
        .object([
          "estimator": .string("scaled-mean"),
          "parameters": .object([
            "factor": .object(["log": .list([.integer(1), .integer(100), .integer(3)])])
          ]),
        ]),
      ]))
    #expect(space.count == 9)
    #expect(try SearchSpace(.object(["scaled-mean": .object(["factor": .real(2)])])).count == 1)
    #expect { try SearchSpace(.list([])) } throws: { "\($0)".contains("empty") }
    #expect {
      try SearchSpace(.object(["estimator": .string("scaled-mean"), "factor": .real(2)]))
    } throws: { "\($0)".contains("under 'parameters'") }
  }

  @Test func aParameterOfSomeEstimatorsAppliesToThose() throws {
    let both = [AnyEstimator(ScaledMean()), AnyEstimator(ShrunkenCentroid())]
    let space = try SearchSpace(
      estimators: both,
      parameters: [("factor", .values([.integer(1), .integer(2)])), ("jitter", .values([.integer(0)]))])
    #expect(space.count == 3)
    #expect {
      try SearchSpace(estimators: both, parameters: [("facto", .values([.integer(1)]))])
    } throws: { error in
      let text = "\(error)"
      return text.contains("none of the estimators") && text.contains("did you mean 'factor'?")
        && text.contains("scaled-mean has factor") && text.contains("shrunken-centroid has shrinkage")
    }
  }
}
