import ApusTestSupport
import Foundation
import Testing

/// Data that cannot be used: exit code 3, nothing on the standard output, and a message that says what and where.
@Suite(.blocking) struct BadDataTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func expectRefusal(
    _ arguments: [String], status: Int32 = 3, _ words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let run = try ApusBinary.run(arguments: arguments)
    #expect(run.status == status, "\(run.errors)", sourceLocation: sourceLocation)
    #expect(run.output.isEmpty, sourceLocation: sourceLocation)
    for word in words {
      #expect(run.errors.contains(word), "\(run.errors)", sourceLocation: sourceLocation)
    }
  }

  private func fit(_ text: String, _ estimator: String = "logistic-regression") throws -> [String] {
    ["fit", try scratch.write("data.csv", text), "--target", "y", "--estimator", estimator]
  }

  @Test func aMissingFile() throws {
    let path = scratch.path("none.csv")
    try expectRefusal(
      ["fit", path, "--target", "y", "--estimator", "ridge"],
      ["Error: ", path, "No such file or directory"])
    try expectRefusal(
      ["fit", "irs", "--target", "y", "--estimator", "ridge"],
      ["did you mean the bundled dataset 'iris'?"])
    try expectRefusal(
      ["fit", scratch.folder.path, "--target", "y", "--estimator", "ridge"], ["is a folder"])
  }

  @Test func anEmptyFile() throws { try expectRefusal(fit(""), ["data.csv", "empty"]) }

  @Test func aHeaderOnly() throws { try expectRefusal(fit("a,y\n"), ["data.csv", "no rows"]) }

  @Test func aRaggedRow() throws {
    try expectRefusal(fit("a,b,y\n1,2,u\n3,4\n5,6,u\n"), ["data.csv:3: expected 3 cells, found 2"])
  }

  @Test func aWordAmongNumbers() throws {
    try expectRefusal(fit("a,y\n1,u\n2,v\n3,u\nfour,v\n5,u\n"), ["data.csv:5:1", "four"])
  }

  @Test func aMissingValueWhereTheEstimatorCannotTakeIt() throws {
    try expectRefusal(fit("a,y\n1,u\n,v\n3,u\n4,v\n"), ["missing value", "row 2", "'a'", "Hint: "])
  }

  @Test func anInfinity() throws {
    try expectRefusal(fit("a,y\n1,u\n2,v\ninf,u\n4,v\n"), ["inf"])
  }

  @Test func aTargetThatDoesNotExist() throws {
    try expectRefusal(
      ["fit", "iris", "--target", "speces", "--estimator", "logistic-regression"],
      ["there is no column 'speces'", "did you mean 'species'?"])
  }

  @Test func oneClassOnly() throws {
    try expectRefusal(fit("a,y\n1,u\n2,u\n3,u\n"), ["at least two classes", "'u'"])
    let data = try scratch.write("one.csv", "a,y\n1,u\n2,u\n3,u\n")
    try expectRefusal(
      ["search", data, "--target", "y", "--estimator", "logistic-regression"],
      ["at least two classes"])
  }

  @Test func fewerMembersOfAClassThanFolds() throws {
    let data = try scratch.write("few.csv", "a,y\n1,u\n2,u\n3,u\n4,u\n5,u\n6,v\n7,v\n8,v\n")
    try expectRefusal(
      ["evaluate", data, "--target", "y", "--estimator", "logistic-regression", "--cv", "5"],
      ["class 'v' has 3 members", "5 folds"])
  }

  @Test func aConstantColumnIsNoObstacle() throws {
    var text = "a,same,y\n"
    for row in 0..<20 { text += "\(row),4,\(row < 10 ? "u" : "v")\n" }
    let data = try scratch.write("constant.csv", text)
    for estimator in [
      "logistic-regression", "standard-scaler+logistic-regression",
    ] {
      let run = try ApusBinary.run(
        "evaluate", data, "--target", "y", "--estimator", estimator, "--cv", "2", "--shuffle",
        "--json")
      #expect(run.status == 0, "\(run.errors)")
      let scores = try #require((run.json()["scores"] as? [String: [String: Any]])?["accuracy"])
      #expect(try #require(scores["mean"] as? Double) > 0.8)
    }
  }

  @Test func textWhereARegressorWantsNumbers() throws {
    try expectRefusal(
      ["fit", "iris", "--estimator", "ridge"], ["setosa"])
  }

  @Test func notAModel() throws {
    let foreign = try scratch.write("foreign.model", SampleData.line)
    try expectRefusal(["predict", foreign, "iris"], ["foreign.model", "not a saved Apus model"])
    try expectRefusal(["predict", scratch.path("none.model"), "iris"], ["No such file"])
  }

  @Test func aModelThatIsCutDamagedOrNewer() throws {
    let path = scratch.path("a.model")
    #expect(
      try ApusBinary.run("fit", "iris", "--estimator", "logistic-regression", "-o", path).status
        == 0)
    let whole = try scratch.read("a.model")
    let cut = try scratch.write("cut.model", String(whole.dropLast(20)))
    try expectRefusal(["predict", cut, "iris"], ["cut.model", "cut short"])
    let damaged = try scratch.write(
      "damaged.model", whole.replacingOccurrences(of: "setosa", with: "setoso"))
    try expectRefusal(["predict", damaged, "iris"], ["damaged"])
    let newer = try scratch.write(
      "newer.model", whole.replacingOccurrences(of: "\"version\":1", with: "\"version\":2"))
    try expectRefusal(["predict", newer, "iris"], ["format 2", "reads up to 1"])
  }

  @Test func predictionsOnColumnsThatAreNotTheModels() throws {
    let train = try scratch.write("train.csv", SampleData.line)
    let model = scratch.path("line.model")
    #expect(
      try ApusBinary.run(
        "fit", train, "--target", "y", "--estimator", "ridge", "--set", "alpha=0", "-o", model
      ).status == 0)
    let missing = try scratch.write("missing.csv", "a,c\n1,2\n")
    try expectRefusal(["predict", model, missing], ["'b'"])
    let extra = try scratch.write("extra.csv", "c,b,a\nhello,1,2\nthere,3,4\n")
    let run = try ApusBinary.run("predict", model, extra)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.errors.contains("ignoring column 'c'"))
    let values = try run.output.split(separator: "\n").dropFirst().map { try #require(Double($0)) }
    #expect(zip(values, [6.0, 8.0]).allSatisfy { abs($0 - $1) < 1e-9 })
    #expect(values.count == 2)
  }

  @Test func outputsThatCannotBeWritten() throws {
    let nowhere = scratch.path("no/such/folder/x.model")
    for arguments in [
      ["fit", "iris", "--estimator", "logistic-regression"],
      ["search", "iris", "--estimator", "logistic-regression", "--param", "c=[1]"],
    ] {
      try expectRefusal(
        arguments + ["--output", nowhere],
        ["cannot write \(nowhere)", "No such file or directory", "mkdir"])
      try expectRefusal(arguments + ["--output", scratch.folder.path], ["it is a folder"])
    }
    let isRoot = getuid() == 0
    if !isRoot {
      try expectRefusal(
        ["predict", "x", "iris", "--output", "/etc/hostname"], ["Permission denied"])
    }
    #expect(try scratch.names().isEmpty)
  }
}
