import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// Who gets how much of a real cluster, and clusters that grow.
@Suite(.serialized, .timeLimit(.minutes(5))) struct DaskScalingTests {
  @Test func jobsGoWhereTheirResourcesAre() async throws {
    let cluster = try LocalDask(workers: 1)
    try cluster.addWorker(resources: "GPU=1")
    let backend = try await DaskBackend(cluster) { $0.resources = ["GPU": 1] }
    while backend.status.workers.count < 2 { try await Task.sleep(for: .milliseconds(50)) }
    var workers = Set<String>()
    for await result in backend.run((0..<40).map { _ in RandomSum(microseconds: 20_000) }) {
      workers.insert(try #require(try? result.outcomeWorker))
    }
    #expect(workers.count == 1, "\(workers)")
    await backend.close()
  }

  @Test func aClientTakesNoMoreSlotsThanItsLimit() async throws {
    let cluster = try LocalDask(workers: 3)
    let backend = try await DaskBackend(cluster) { $0.slotLimit = 1 }
    while backend.status.workers.count < 3 { try await Task.sleep(for: .milliseconds(50)) }
    #expect(backend.capacity.slots == 1)
    let start = ContinuousClock.now
    for await result in backend.run((0..<40).map { _ in RandomSum(microseconds: 50_000) }) {
      _ = try result.outcome.get()
    }
    // One at a time they take two seconds at least; with all three slots it would be less than one.
    #expect(ContinuousClock.now - start > .seconds(2))
    await backend.close()
  }

  @Test func jobsOfHigherPriorityGoFirst() async throws {
    let cluster = try LocalDask(workers: 1)
    let patient = try await DaskBackend(cluster)
    let urgent = try await DaskBackend(cluster) { $0.priority = 10 }
    let finished = Mutex<[String]>([])
    let long = Task {
      for await _ in patient.run((0..<60).map { _ in RandomSum(microseconds: 300_000) }) {
        finished.withLock { $0.append("patient") }
      }
    }
    while patient.status.batches < 2 { try await Task.sleep(for: .milliseconds(50)) }
    for await result in urgent.run((0..<8).map { _ in RandomSum(microseconds: 100_000) }) {
      _ = try result.outcome.get()
      finished.withLock { $0.append("urgent") }
    }
    let order = finished.withLock { $0 }
    await patient.close()
    await long.value
    // Its waiting batches are passed; what runs is let finish, and between two batches one may slip in.
    let first = try #require(order.firstIndex(of: "urgent"))
    let between = order[first...].filter { $0 == "patient" }.count
    #expect(between <= 8, "\(order)")
    await urgent.close()
  }

}

extension JobResult {
  /// The worker that a successful job ran on.
  fileprivate var outcomeWorker: String {
    get throws {
      switch outcome {
      case .success(_, let execution): return execution.worker
      case .failure(let failure): throw failure
      }
    }
  }
}
