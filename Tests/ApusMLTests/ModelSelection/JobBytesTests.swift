import ApusML
import ApusParallel
import Foundation
import Testing

/// Jobs and scores as the bytes in which they travel.
@Suite struct JobBytesTests {
  private var job: FitAndScore {
    var forest = RandomForestClassifier()
    forest.treeCount = 7
    return FitAndScore(
      data: DataReference(digest: Digest(of: [1])), splits: DataReference(digest: Digest(of: [2])), fold: 3,
      trainRows: 40,
      candidates: [
        AnyEstimator(Ridge(alpha: 2, fitIntercept: false)), AnyEstimator(forest),
        AnyEstimator(Pipeline(StandardScaler(), LogisticRegression(c: 0.1))),
      ],
      metrics: [.accuracy, .f1Macro], scoresTraining: true, sharesRows: false, seed: Seed(.max))
  }

  @Test func everyFieldOfAJobArrives() throws {
    let arrived = try FitAndScore.decoded(from: job.encoded())
    #expect(try JSONEncoder.jobs.encode(arrived) == JSONEncoder.jobs.encode(job))
    // Whoever adds a field must let it travel.
    #expect(Mirror(reflecting: job).children.count == 9)
    var plain = job
    plain.trainRows = nil
    plain.scoresTraining = false
    plain.sharesRows = true
    #expect(
      try JSONEncoder.jobs.encode(FitAndScore.decoded(from: plain.encoded()))
        == JSONEncoder.jobs.encode(plain))
  }

  @Test func everyFieldOfAScoreArrives() throws {
    let scores = [
      FitScores(
        test: [0.1, -.infinity], train: [-0.0], fitSeconds: 1.5, scoreSeconds: 0.25,
        convergence: Convergence(iterations: 9, converged: true, residual: 1e-300), failure: "no"),
      FitScores(fitSeconds: 2),
    ]
    #expect(try FitAndScore.decodedOutput(from: FitAndScore.encodedOutput(scores)) == scores)
    #expect(Mirror(reflecting: scores[0]).children.count == 6)
    let undefined = try FitAndScore.decodedOutput(from: FitAndScore.encodedOutput([FitScores(test: [.nan])]))
    #expect(undefined[0].test[0].isNaN && undefined[0].fitSeconds.isNaN)
  }

  @Test func damagedBytesAreRefused() throws {
    var random = Seed(8).randomSource()
    let bytes = try job.encoded()
    for length in 0..<bytes.count {
      #expect(throws: ApusError.self) { try FitAndScore.decoded(from: Array(bytes[..<length])) }
    }
    for _ in 0..<500 {
      var damaged = bytes
      damaged[random.integer(below: damaged.count)] = UInt8(random.integer(below: 256))
      _ = try? FitAndScore.decoded(from: damaged)
      _ = try? FitAndScore.decodedOutput(from: damaged)
    }
  }
}
