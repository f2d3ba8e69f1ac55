import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Testing

/// What fits say of how far they have come.
@Suite struct FitProgressTests {
  /// The stage at the end of a fit.
  private func stage(
    of estimator: some Estimator, _ dataset: String, threads: Int = 2
  ) throws -> WorkProgress.Stage? {
    let progress = WorkProgress()
    #expect(progress.stage == nil)
    let compute = ComputeContext(threads: threads, progress: progress)
    _ = try estimator.fit(Dataset(bundled: dataset), FitContext(compute: compute))
    return progress.stage
  }

  @Test(arguments: [1, 2]) func treesAreCounted(threads: Int) throws {
    var forest = RandomForestClassifier()
    forest.treeCount = 17
    let stage = try #require(try stage(of: forest, "iris", threads: threads))
    #expect(stage == WorkProgress.Stage(steps: "trees", done: 17, total: 17))
    #expect("\(stage)" == "17 of 17 trees")
  }

  @Test func pairsOfClassesAreCounted() throws {
    let stage = try stage(of: SVC(), "digits")
    #expect(stage == WorkProgress.Stage(steps: "pairs of classes", done: 45, total: 45))
  }

  @Test func classesAreCounted() throws {
    #expect(try stage(of: LinearSVC(), "iris") == WorkProgress.Stage(steps: "classes", done: 3, total: 3))
  }

  @Test func epochsAreCounted() throws {
    var classifier = SGDClassifier()
    (classifier.tolerance, classifier.maxIterations) = (nil, 4)
    #expect(try stage(of: classifier, "iris") == WorkProgress.Stage(steps: "epochs", done: 12, total: 12))
  }

  @Test func iterationsAreCounted() throws {
    let progress = WorkProgress()
    var clustering = KMeans()
    clustering.clusterCount = 5
    let model = try clustering.fit(
      Dataset(bundled: "iris"), FitContext(compute: ComputeContext(threads: 2, progress: progress)))
    let stage = try #require(progress.stage)
    #expect(stage.done == model.convergence?.iterations && stage.total == nil)
    #expect("\(stage)" == "\(stage.done) iterations")
  }
}
