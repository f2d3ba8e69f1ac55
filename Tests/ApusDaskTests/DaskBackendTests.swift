import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Testing

@Suite(.serialized) struct DaskBackendTests {
  @Test func jobsGiveTheBitsThatThreadsGive() async throws {
    let cluster = try LocalDask()
    let backend = try await DaskBackend(cluster)
    let jobs = (0..<300).map { _ in RandomSum(microseconds: 100) }
    let options = RunOptions(seed: Seed(7))
    var expected = [Int: Double]()
    for await result in try ThreadBackend(workers: 2).run(jobs, options: options) {
      expected[result.index] = try result.outcome.get()
    }
    var found = [Int: Double]()
    for await result in backend.run(jobs, options: options) {
      #expect(found.updateValue(try result.outcome.get(), forKey: result.index) == nil)
    }
    #expect(found == expected)
    #expect(found.count == 300)
    await backend.close()
  }

  @Test func whatJobsDoWrongIsARow() async throws {
    let cluster = try LocalDask()
    let backend = try await DaskBackend(cluster) { $0.jobTimeout = 1.5 }
    let deeds: [Misbehave] = [
      Misbehave(.nothing), Misbehave(.trap), Misbehave(.kill), Misbehave(.exit, amount: 3), Misbehave(.hang),
      Misbehave(.throwing, amount: 5), Misbehave(.print, amount: 6), Misbehave(.nothing),
    ]
    var failures = [Int: JobFailure]()
    var successes = Set<Int>()
    for await result in backend.run(deeds) {
      switch result.outcome {
      case .success: successes.insert(result.index)
      case .failure(let failure): failures[result.index] = failure
      }
    }
    #expect(successes == [0, 6, 7])
    #expect(failures[1]?.reason == .trapped && failures[1]?.message.contains("ended 2 workers") == true)
    #expect(failures[2]?.message.contains("signal 9") == true, "\(String(describing: failures[2]))")
    #expect(failures[3]?.message.contains("code 3") == true, "\(String(describing: failures[3]))")
    #expect(failures[4]?.reason == .timedOut && failures[4]?.message.contains("1.5 s") == true)
    #expect(failures[5]?.reason == .threw && failures[5]?.message == "job 5 cannot be done")
    let host = ProcessInfo.processInfo.hostName
    for failure in failures.values { #expect(failure.worker?.hasPrefix("\(host) pid ") == true) }
    await backend.close()
  }

  @Test func dataIsBroughtOnceAndRemoved() async throws {
    let cluster = try LocalDask()
    let backend = try await DaskBackend(cluster)
    let numbers = SharedNumbers(count: 200_000)
    let reference = try await backend.put(numbers)
    let again = try await backend.put(numbers)
    #expect(again == reference)
    var pids = Set<Int32>()
    for await result in backend.run((0..<6).map { _ in SumShared(numbers: reference) }) {
      let output = try result.outcome.get()
      #expect(output.sum == 199_999 * 100_000)
      #expect(output.isAligned)
      pids.insert(output.pid)
    }
    #expect(pids.count == 2)
    let place = "/dev/shm/apus-\(getuid())"
    let held = try FileManager.default.contentsOfDirectory(atPath: place)
    #expect(!held.isEmpty)
    await backend.remove(reference.digest)
    await backend.remove(reference.digest)
    await backend.close()
    #expect(try FileManager.default.contentsOfDirectory(atPath: place).isEmpty)
  }
}
