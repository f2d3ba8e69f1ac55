import ApusTestSupport
import Foundation
import Testing

/// Command lines that make no sense: exit code 2, nothing on the standard output, and a message that helps.
@Suite(.blocking) struct BadUsageTests {
  private let logistic = ["search", "iris", "--estimator", "logistic-regression"]

  @Test func aMisspeltParameterListsTheValidOnes() throws {
    try expectRefusal(
      ["fit", "iris", "--estimator", "logistic-regression", "--set", "maxIteration=3"],
      ["no parameter 'maxIteration'", "did you mean 'maxIterations'?", "classWeight"])
    try expectRefusal(logistic + ["--param", "cc=[1]"], ["no parameter 'cc'", "fitIntercept"])
  }

  @Test func aParameterOutOfRangeOrOfTheWrongType() throws {
    try expectRefusal(
      ["fit", "iris", "--estimator", "logistic-regression", "--set", "c=-1"],
      ["c must be above 0", "-1"])
    try expectRefusal(logistic + ["--param", "c=[1,0]"], ["c must be above 0"])
    try expectRefusal(
      ["fit", "iris", "--estimator", "logistic-regression", "--set", "maxIterations=many"],
      ["maxIterations", "whole number", "\"many\""])
    try expectRefusal(logistic + ["--param", "c=[1,big]"], ["\"big\""])
  }

  @Test func hyperparametersAreCheckedBeforeTheDataIsRead() throws {
    try expectRefusal(
      ["fit", "/no/such/file.csv", "--target", "y", "--estimator", "ridge", "--set", "alpha=-1"],
      ["alpha must be at least 0"])
  }

  @Test func anEmptyGrid() throws {
    try expectRefusal(logistic + ["--param", "c=[]"], ["no values for 'c'"])
  }

  @Test func aGridThatDoesNotParse() throws {
    try expectRefusal(logistic + ["--param", "c"], ["name=values"])
    try expectRefusal(logistic + ["--param", "c=log(1,2"], ["expected"])
    try expectRefusal(logistic + ["--param", "c=lag(1,2,3)"], ["lag", "did you mean 'log'?"])
    try expectRefusal(logistic + ["--param", "c=[1]", "--param", "c=[2]"], ["given twice"])
  }

  @Test func aDistributionWithoutANumberOfDraws() throws {
    try expectRefusal(logistic + ["--param", "c=loguniform(1e-3,1)"], ["--random N"])
  }

  @Test func namesThatDoNotExist() throws {
    try expectRefusal(
      ["fit", "iris", "--estimator", "ridg"], ["no estimator 'ridg'", "did you mean 'ridge'?"])
    try expectRefusal(
      logistic + ["--scoring", "acuracy"], ["no metric 'acuracy'", "did you mean 'accuracy'?"])
    try expectRefusal(
      logistic + ["--backend", "thread"], ["no backend 'thread'", "did you mean 'threads'?"])
    try expectRefusal(logistic + ["--cv", "stratifed:5"], ["did you mean 'stratified'?"])
  }

  @Test func optionsThatContradictEachOther() throws {
    try expectRefusal(logistic + ["--backend", "sequential", "--workers", "2"], ["one worker"])
    try expectRefusal(logistic + ["--workers", "0"], ["0 workers"])
    try expectRefusal(logistic + ["--fit-timeout", "3"], ["--backend processes"])
    try expectRefusal(
      logistic + ["--backend", "processes", "--fit-timeout", "0"], ["leaves no time"])
    try expectRefusal(logistic + ["--cv", "1"], ["at least 2 folds"])
    try expectRefusal(logistic + ["--cv", "time-series:3", "--shuffle"], ["leave out --shuffle"])
    try expectRefusal(logistic + ["--scoring", "r2"], ["r2 is for regression"])
    let grid = logistic + ["--param", "c=[1,2,3]"]
    try expectRefusal(grid + ["--method", "grid", "--random", "2"], ["leave out --random"])
    for option in ["--factor", "--least", "--most", "--resource"] {
      try expectRefusal(grid + [option, "4"], ["\(option) is for halving", "a grid"])
    }
    try expectRefusal(
      grid + ["--method", "tpe", "--random", "2", "--factor", "2"], ["--factor is for halving"])
    try expectRefusal(
      ["search", "iris", "--estimator", "logistic-regression", "--estimator", "ridge"],
      ["one task at a time"])
  }

  @Test func aFileWhoseTargetIsNotNamed() throws {
    try expectRefusal(
      ["fit", "/no/such/file.csv", "--estimator", "ridge"],
      ["which column should be predicted?", "--target"])
  }

  /// What is wrong whatever the data is, is said before a file is looked for.
  @Test func mistakesThatNeedNoDataComeFirst() throws {
    let file = ["/no/such/file.csv", "--target", "y"]
    let search = ["search"] + file + ["--estimator", "ridge", "--param", "alpha=[1]"]
    for option in ["--cv", "--nested"] {
      for (folds, word) in [
        ("1", "at least 2 folds"), ("0", "at least 2 folds"), ("time-series:1", "at least 2 splits"),
        ("shuffle:0", "at least 1 split"), ("shuffle:3:2", "not a fraction"),
        ("repeated:3:0", "number of repeats"),
        ("group:3", "--groups COLUMN"), ("predefined", "--groups COLUMN"),
      ] {
        try expectRefusal(search + [option, folds], ["\(option) \(folds)", word])
      }
      try expectRefusal(search + [option, "time-series:3", "--shuffle"], ["leave out --shuffle"])
    }
    for command in [["evaluate"], ["search"]] {
      try expectRefusal(command + file + ["--estimator", "pca"], ["only transforms features"])
    }
  }

  @Test func aParameterThatIsGivenByTwoOfItsNames() throws {
    try expectRefusal(
      ["fit", "iris", "--estimator", "svc", "--set", "c=1", "--set", "C=2"],
      ["c is given twice", "'C' and 'c'"])
    try expectRefusal(
      ["fit", "iris", "--estimator", "standard-scaler+svc", "--set", "c=1", "--set", "svc.c=2"],
      ["svc.c is given twice"])
    let search = ["search", "iris", "--estimator", "svc", "--param", "c=[1,2]", "--param"]
    try expectRefusal(search + ["C=[3]"], ["c is given twice", "'c' and 'C'"])
    try expectRefusal(search + ["svc.c=[3]", "--estimator", "standard-scaler+svc"], ["svc.c is given twice"])
  }

  @Test func rulesThatEndNoSearchAreNamed() throws {
    let search = logistic + ["--param", "c=[1,2]"]
    try expectRefusal(search + ["--most-fits", "0"], ["--most-fits must be at least 1, but is 0"])
    try expectRefusal(search + ["--patience", "0"], ["--patience must be at least 1, but is 0"])
    try expectRefusal(search + ["--target-score", "nan"], ["--target-score must be a number"])
    for top in ["0", "-1"] {
      try expectRefusal(search + ["--top", top], ["--top must be at least 1, but is \(top)"])
    }
  }

  @Test func anEstimatorIsNeeded() throws {
    try expectRefusal(["search", "iris"], ["--estimator", "--space"])
    try expectRefusal(["fit", "iris"], ["--estimator"])
  }

  @Test func aSpaceThatIsNotOne() throws {
    let scratch = try Scratch()
    let broken = try scratch.write("broken.yaml", "- estimator: [ridge\n")
    try expectRefusal(["search", "diabetes", "--space", broken], ["broken.yaml", "not YAML"])
    let foreign = try scratch.write("foreign.yaml", "- estimator: ridge\n  alpha: [1]\n")
    try expectRefusal(["search", "diabetes", "--space", foreign], ["foreign.yaml", "parameters"])
  }

  @Test func aModelWithoutProbabilities() throws {
    let scratch = try Scratch()
    let model = scratch.path("ridge.model")
    #expect(try ApusBinary.run("fit", "diabetes", "--estimator", "ridge", "-o", model).status == 0)
    try expectRefusal(
      ["predict", model, "diabetes", "--probabilities"], ["gives no probabilities"])
  }
}
