import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Testing

/// Whom a client finds at a scheduler's address, and what is left of a client that ends before it is connected.
@Suite(.blocking, .serialized, .timeLimit(.minutes(10))) struct DaskConnectionTests {
  private static let apus = buildFolder.appendingPathComponent("apus").path
  private static let search = [
    "search", "diabetes", "--estimator", "ridge", "--param", "alpha=1", "--backend", "dask", "--scheduler",
  ]

  /// A folder for temporary files that only this test's programs use.
  private static func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-connection-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  private static func environment(_ folder: URL) -> [String: String] {
    ["APUS_PYTHON": LocalDask.python, "TMPDIR": folder.path]
  }

  /// The bridges of clients that have a folder for their temporary files.
  private static func bridges(_ folder: URL) throws -> String {
    try runProgram("pgrep", ["-f", "apus_bridge.py \(folder.path)/"]).output
  }

  @Test func whoTakesAConnectionAndSaysNothingIsNotWaitedForLongerThanAsked() throws {
    let listener = try MuteListener()
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try runProgram(
      Self.apus, Self.search + [listener.address, "--connect-timeout", "2"],
      environment: Self.environment(folder))
    #expect(
      run.exitCode == 1 && run.errors.contains("cannot connect to the scheduler \(listener.address)")
        && run.errors.contains("has said nothing for 2.0 s"), "\(run)")
  }

  @Test func aSchedulerThatStandsStillIsNotWaitedForLongerThanAsked() async throws {
    let cluster = try LocalDask(workers: 1)
    await (try DaskBackend(cluster)).close()
    cluster.stopScheduler()
    await #expect { try await DaskBackend(cluster) { $0.connectTimeout = 2 } } throws: {
      "\($0)".contains("has said nothing for 2.0 s")
    }
    cluster.continueScheduler()
    let backend = try await DaskBackend(cluster)
    for await result in backend.run([Square(number: 3)]) { #expect(try result.outcome.get() == 9) }
    await backend.close()
  }

  @Test(arguments: [SIGKILL, SIGINT, SIGTERM])
  func aClientThatEndsWhileItConnectsLeavesNothing(signal: Int32) throws {
    let listener = try MuteListener()
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let client = Process()
    client.executableURL = URL(fileURLWithPath: Self.apus)
    client.arguments = Self.search + [listener.address, "--connect-timeout", "3600"]
    client.environment = ProcessInfo.processInfo.environment.merging(Self.environment(folder)) { $1 }
    client.standardError = FileHandle.nullDevice
    client.standardInput = FileHandle.nullDevice
    try client.run()
    listener.waitForConnection()
    #expect(try !Self.bridges(folder).isEmpty)
    kill(client.processIdentifier, signal)
    client.waitUntilExit()
    while try !Self.bridges(folder).isEmpty { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  /// The store is looked at while the data is placed.
  @Test(arguments: ["http", "gs"]) func anInterruptionReachesASearchWhoseDataIsPlaced(scheme: String) throws {
    let cluster = try LocalDask(workers: 1)
    let store = try MuteListener()
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let place = scheme == "gs" ? "gs://bucket/d" : "http://127.0.0.1:\(store.port)/d"
    let client = Process()
    client.executableURL = URL(fileURLWithPath: Self.apus)
    client.arguments = Self.search + [cluster.address, "--connect-timeout", "120", "--data-store", place]
    let variables = Self.environment(folder).merging([
      "STORAGE_EMULATOR_HOST": "http://127.0.0.1:\(store.port)"
    ]) { $1 }
    client.environment = ProcessInfo.processInfo.environment.merging(variables) { $1 }
    client.standardError = FileHandle.nullDevice
    client.standardInput = FileHandle.nullDevice
    try client.run()
    store.waitForConnection()
    kill(client.processIdentifier, SIGINT)
    client.waitUntilExit()
    #expect(client.terminationReason == .exit && client.terminationStatus == 130)
    while try !Self.bridges(folder).isEmpty { Thread.sleep(forTimeInterval: 0.05) }
  }

  @Test func aSearchLeavesNoFiles() throws {
    let cluster = try LocalDask(workers: 1)
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try runProgram(
      Self.apus, Self.search + [cluster.address, "--connect-timeout", "120"],
      environment: Self.environment(folder))
    #expect(run.exitCode == 0, "\(run)")
    while try !Self.bridges(folder).isEmpty { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }

  @Test func withoutDaskNoFilesAreLeft() throws {
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try runProgram(
      Self.apus, Self.search + ["tcp://127.0.0.1:9"],
      environment: Self.environment(folder).merging(["APUS_PYTHON": "/usr/bin/python3"]) { $1 })
    #expect(run.exitCode == 1 && run.errors.contains("pip install"), "\(run)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }
}
