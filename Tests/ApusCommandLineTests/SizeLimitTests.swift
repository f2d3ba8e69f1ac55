import ApusTestSupport
import Foundation
import Testing

/// Numbers so large that they would fill the memory, or overflow: refused with exit code 2, the number or option being
/// named, before any data is read.
@Suite(.blocking) struct SizeLimitTests {
  private let machine = ["search", "iris", "--estimator", "svc"]
  private let missing = ["/no/such/file.csv", "--target", "y"]

  @Test(arguments: [
    "range(1,2,1e-300)", "range(1,1e18)", "linear(0.1,1,1000000000000)", "log(1,2,1000000000000)",
  ])
  func listsOfValues(values: String) throws {
    try expectRefusal(machine + ["--param", "c=\(values)"], ["c: ", "more than 1,000,000 values"])
  }

  @Test func boundsOfWholeNumbers() throws {
    let widest = ["--param", "coef0=integer(-9223372036854775808,9223372036854774784)", "--random", "3"]
    // The widest bounds can be drawn from, at random or by a model.
    for method in [[], ["--method", "tpe"]] {
      let run = try ApusBinary.run(
        arguments: machine + widest + method + ["--json"])
      #expect(run.status == 0, "\(run.errors.suffix(400))")
      #expect((try run.json()["results"] as? [Any])?.count == 3)
    }
  }

  @Test func boundsThatAreTooFarApart() throws {
    let arguments = [
      "search", "diabetes", "--estimator", "dummy-regressor", "--random", "14", "--param",
      "constant=uniform(-1e308,1e308)",
    ]
    for method in [[], ["--method", "tpe"]] {
      try expectRefusal(arguments + method, ["'constant': uniform(-1e+308, 1e+308)", "further"])
    }
  }

  @Test func numbersOfDraws() throws {
    for draws in ["99999999999999", "9223372036854775807"] {
      for rest in [
        [], ["--method", "tpe", "--most-fits", "5"], ["--method", "halving"], ["--method", "asha"],
      ] {
        try expectRefusal(
          machine + ["--param", "c=loguniform(1,2)", "--random", draws] + rest,
          ["at most 10,000,000 candidates"])
      }
    }
  }

  @Test func factorsAndResourcesOfHalving() throws {
    let huge = "9223372036854775807"
    let run = try ApusBinary.run(
      arguments: machine + ["--param", "c=[1,2,3]", "--method", "halving", "--factor", huge])
    #expect(run.status == 0, "\(run.errors)")
    try expectRefusal(
      [
        "search", "iris", "--estimator", "random-forest-classifier", "--method", "hyperband", "--resource",
        "treeCount", "--most", huge, "--param", "maxDepth=[2,3]",
      ], ["Hyperband", "at most 10,000,000 candidates"])
  }

  @Test func gridsThatCannotBeCounted() throws {
    let lists = ["c", "gamma", "coef0", "tolerance"].flatMap { ["--param", "\($0)=linear(0.1,1,100000)"] }
    for estimators in [machine, machine + ["--estimator", "standard-scaler+svc"]] {
      try expectRefusal(
        estimators + lists, ["a grid can have at most 10,000,000 candidates", "random search"])
      let run = try ApusBinary.run(arguments: estimators + lists + ["--random", "3", "--json"])
      #expect(run.status == 0, "\(run.errors)")
      #expect((try run.json()["results"] as? [Any])?.count == 3)
    }
    // Ten thousand million can be counted.
    try expectRefusal(
      machine + ["--param", "c=linear(0.1,1,100000)", "--param", "gamma=linear(0.1,1,100000)"],
      ["this one has 10,000,000,000"])
  }

  @Test(arguments: [
    "shuffle:99999999999:0.5", "repeated:5:999999999999999999", "stratified-shuffle:999999999999:0.5",
    "repeated-stratified:9223372036854775807:2", "9223372036854775807", "time-series:9223372036854775807",
  ])
  func divisionsOfTheRows(folds: String) throws {
    try expectRefusal(
      ["evaluate"] + missing + ["--estimator", "logistic-regression", "--cv", folds],
      ["--cv \(folds)", "more than 100,000"])
    try expectRefusal(
      ["search"] + missing + ["--estimator", "ridge", "--param", "alpha=[1]", "--nested", folds],
      ["--nested \(folds)", "more than 100,000"])
  }

  @Test(arguments: ["9223372036854775807", "100000000000", "8193"]) func threadsAndWorkers(count: String)
    throws
  {
    try expectRefusal(
      ["fit"] + missing + ["--estimator", "ridge", "--threads", count], ["--threads \(count)", "8,192"])
    try expectRefusal(["predict", "/no.model", "iris", "--threads", count], ["--threads \(count)", "8,192"])
    for backend in ["threads", "processes"] {
      try expectRefusal(
        ["evaluate"] + missing + ["--estimator", "ridge", "--workers", count, "--backend", backend],
        ["workers", "8,192"])
    }
    try expectRefusal(
      ["evaluate"] + missing
        + [
          "--estimator", "ridge", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1", "--workers",
          "9223372036854775807",
        ],
      ["slots", "1,000,000"])
    try expectRefusal(["cluster", "up", "--workers", count], ["workers", "8,192"])
  }

  @Test func fewFitsOfManyWorkers() throws {
    let run = try ApusBinary.shell(
      "ulimit -v 12000000; '\(ApusBinary.url.path)' evaluate iris --estimator logistic-regression --workers 8192"
    )
    #expect(run.status == 0, "\(run.errors)")
    let pool = try ApusBinary.run(
      "evaluate", "iris", "--estimator", "logistic-regression", "--workers", "8192", "--backend", "processes")
    #expect(pool.status == 0, "\(pool.errors)")
  }

  @Test func shufflesOfFeatures() throws {
    let scratch = try Scratch()
    let model = scratch.path("a.model")
    #expect(try ApusBinary.run("fit", "iris", "--estimator", "svc", "-o", model).status == 0)
    try expectRefusal(
      ["inspect", model, "iris", "--repeats", "999999999999999"], ["--repeats", "100,000"])
    try expectRefusal(["inspect", model, "iris", "--top", "0"], ["--top must be at least 1, but is 0"])
  }

  @Test(arguments: ["pca+", "(", "pca/"]) func stepsOfAPipeline(step: String) throws {
    let name = String(repeating: step, count: 3_000) + "svc"
    try expectRefusal(["fit", "iris", "--estimator", name], ["more than 100 steps"])
  }

  @Test(arguments: ["[", "{a:"]) func bracketsInBrackets(opening: String) throws {
    let text = String(repeating: opening, count: 30_000)
    try expectRefusal(
      ["fit", "iris", "--estimator", "svc", "--set", "c=\(text)"], ["--set c: ", "more than 100 deep"])
    try expectRefusal(machine + ["--param", "c=\(text)"], ["c: ", "more than 100 deep"])
  }
}
