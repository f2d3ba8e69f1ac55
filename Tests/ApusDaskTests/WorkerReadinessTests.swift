import ApusTestSupport
import Foundation
import Testing

/// What the image's probes ask, asked of a real worker.
@Suite(.blocking) struct WorkerReadinessTests {
  /// Dask's own answer is that the process runs, which says nothing of a scheduler.
  @Test func aWorkerIsReadyOnceItBelongsToAScheduler() throws {
    let cluster = try LocalDask(workers: 0)
    cluster.killScheduler()
    let place = "127.0.0.1:\(try LocalDask.freePort())"
    let preload = repositoryRoot.appendingPathComponent("container/ready.py").path
    try cluster.addWorker(["--dashboard-address", place, "--preload", preload])
    let file = cluster.folder.appendingPathComponent("health")
    try Data("http://\(place)/health\nhttp://\(place)/ready\n".utf8).write(to: file)

    func isTrue(_ question: String) throws -> Bool {
      let script = repositoryRoot.appendingPathComponent("container/apus-container").path
      return try runProgram(
        "/bin/sh", [script, question],
        environment: ["APUS_HEALTH": file.path, "APUS_PYTHON": LocalDask.python]
      ).exitCode == 0
    }
    func becomesTrue(_ question: String) throws -> Bool {
      for _ in 0..<300 {
        if try isTrue(question) { return true }
        Thread.sleep(forTimeInterval: 0.1)
      }
      return false
    }
    #expect(try becomesTrue("health"))
    #expect(try !isTrue("ready"), "there is no scheduler")
    try cluster.restartScheduler()
    #expect(try becomesTrue("ready"))
    #expect(try isTrue("health"))
  }
}
