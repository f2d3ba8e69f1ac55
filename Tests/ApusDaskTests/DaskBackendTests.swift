import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Testing

@Suite(.serialized, .timeLimit(.minutes(10))) struct DaskBackendTests {
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
    let backend = try await DaskBackend(cluster) { $0.jobTimeout = 15 }
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
    #expect(failures[4]?.reason == .timedOut && failures[4]?.message.contains("than 15 s") == true)
    #expect(failures[5]?.reason == .threw && failures[5]?.message == "job 5 cannot be done")
    let host = ProcessInfo.processInfo.hostName
    for failure in failures.values { #expect(failure.worker?.hasPrefix("\(host) pid ") == true) }
    await backend.close()
  }

  @Test func aHangingJobHoldsNobodyBack() async throws {
    let cluster = try LocalDask()
    let backend = try await DaskBackend(cluster)
    // Many quick jobs first, so that later ones travel together; the one that hangs is among them.
    let jobs = (0..<3000).map { Misbehave($0 == 2000 ? .hang : .nothing) }
    let cancellation = Cancellation()
    // If somebody is held back, the test says who before its time is over.
    let watchdog = Task {
      try await Task.sleep(for: .seconds(480))
      cancellation.cancel()
    }
    var finished = Set<Int>()
    for await result in backend.run(jobs, options: RunOptions(cancellation: cancellation)) {
      if case .success = result.outcome { finished.insert(result.index) }
      // It keeps one slot; the other does everything else.
      if finished.count == 2999 { cancellation.cancel() }
    }
    watchdog.cancel()
    #expect(Set(jobs.indices).subtracting(finished) == [2000])
    await backend.close()
  }

  @Test func aJobThatEatsMemoryIsARow() async throws {
    let cluster = try LocalDask(workers: 1)
    let backend = try await DaskBackend(cluster) { $0.memoryLimit = 100 << 20 }
    var failures = [Int: JobFailure]()
    for await result in backend.run([
      Misbehave(.nothing), Misbehave(.devour, amount: 400 << 20), Misbehave(.nothing),
    ]) {
      if case .failure(let failure) = result.outcome { failures[result.index] = failure }
    }
    #expect(Array(failures.keys) == [1])
    #expect(
      failures[1]?.reason == .outOfMemory && failures[1]?.message.contains("MB, twice the limit") == true)
    #expect(failures[1]?.worker?.contains(" pid ") == true)
    await backend.close()
  }

  @Test func theLastLinesOfAFailingJobComeWithItsRow() async throws {
    let cluster = try LocalDask(workers: 1)
    let backend = try await DaskBackend(cluster)
    for await result in backend.run([Misbehave(.complain)]) {
      guard case .failure(let failure) = result.outcome else {
        Issue.record("it ran")
        continue
      }
      #expect(failure.message.contains("the moon is missing | and so is the sun"), "\(failure)")
    }
    await backend.close()
  }

  @Test func dataIsBroughtOnceAndRemoved() async throws {
    let cluster = try LocalDask()
    let backend = try await DaskBackend(cluster)
    // Of a size that no other test's data has, so that its file is known by it.
    let count = 200_000 + 100 * Int(getpid() % 10_000)
    let numbers = SharedNumbers(count: count)
    let files = {
      let place = URL(fileURLWithPath: "/dev/shm/apus-\(getuid())")
      return try FileManager.default.contentsOfDirectory(
        at: place, includingPropertiesForKeys: [.fileSizeKey]
      ).filter {
        // Another test's file may go meanwhile.
        let size = (try? $0.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0
        return (count * 8..<count * 8 + 800).contains(size)
      }
    }
    while backend.status.workers.count < 2 { try await Task.sleep(for: .milliseconds(50)) }
    let reference = try await backend.put(numbers)
    let again = try await backend.put(numbers)
    #expect(again == reference)
    var pids = Set<Int32>()
    for await result in backend.run((0..<6).map { _ in SumShared(numbers: reference) }) {
      let output = try result.outcome.get()
      #expect(output.sum == Double(count - 1) * Double(count) / 2)
      #expect(output.isAligned)
      pids.insert(output.pid)
    }
    #expect(pids.count == 2)
    #expect(try files().count == 1)
    await backend.remove(reference.digest)
    await backend.remove(reference.digest)
    await backend.close()
    // A busy machine may take longer than the client waits at its end.
    while try !files().isEmpty { try await Task.sleep(for: .milliseconds(50)) }
  }
}
