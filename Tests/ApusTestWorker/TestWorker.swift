import ApusParallel
import ApusProcesses
import ApusTestJobs
import Foundation

/// A program with worker processes, for tests: a worker itself when a pool starts it, else what its arguments say.
@main enum TestWorker {
  static func main() async throws {
    if CommandLine.arguments.contains("noisy") { print("a banner that is no protocol") }
    if CommandLine.arguments.contains("exits") {
      FileHandle.standardError.write(Data("cannot find the moon\n".utf8))
      exit(9)
    }
    if CommandLine.arguments.contains("unhooked") { exit(0) }
    WorkerHook.runIfWorker(
      CommandLine.arguments.contains("ignorant") ? JobRegistry() : TestJobs.registry)
    if CommandLine.arguments.contains("counts") { return try await countWhatPoolsLeave() }
    // As a parent: starts a pool whose jobs hang, says who its workers are, and waits to be killed.
    let backend = try ProcessBackend(registry: TestJobs.registry, workers: 2, threadsPerWorker: 1)
    let numbers = try await backend.put(SharedNumbers(count: 32 << 20))
    for await result in backend.run([SumShared(numbers: numbers), SumShared(numbers: numbers)]) {
      print("pid", try result.outcome.get().pid)
    }
    print("ready")
    fflush(nil)
    for await _ in backend.run([Misbehave(.hang), Misbehave(.hang)]) {}
  }

  /// Prints the descriptors and child processes of this process before some pools and after them, and the number of
  /// those pools. Nothing else runs in this process, so that nothing else is counted.
  private static func countWhatPoolsLeave() async throws {
    // What is opened once and kept, by whatever library, is opened in the first rounds, or nearly all of it.
    for _ in 0..<3 { try await usePool() }
    let (before, pools) = (descriptors(), 10)
    for _ in 0..<pools { try await usePool() }
    for _ in 0..<500 where descriptors() > before || children() > 0 {
      try await Task.sleep(for: .milliseconds(10))
    }
    print(before, descriptors(), children(), pools)
  }

  private static func usePool() async throws {
    let backend = try ProcessBackend(registry: TestJobs.registry, workers: 2, threadsPerWorker: 1)
    let numbers = try await backend.put(SharedNumbers(count: 1000))
    let unknown = DataReference<SharedNumbers>(digest: Digest(of: [1]))
    for await _ in backend.run([SumShared(numbers: numbers), SumShared(numbers: unknown)]) {}
    for await _ in backend.run([Misbehave(.trap)]) {}
    await backend.close()
  }

  private static func descriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
  }

  private static func children() -> Int {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return threads.reduce(0) { count, thread in
      let list = try? String(contentsOfFile: "/proc/self/task/\(thread)/children", encoding: .utf8)
      return count + (list ?? "").split(separator: " ").count
    }
  }
}
