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
}
