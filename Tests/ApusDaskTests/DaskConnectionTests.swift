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
      run.exitCode == 5 && run.errors.contains("cannot connect to the scheduler \(listener.address)")
        && run.errors.contains("has said nothing for 2 s"), "\(run)")
  }

  @Test func aSchedulerThatStandsStillIsNotWaitedForLongerThanAsked() async throws {
    let cluster = try LocalDask(workers: 1)
    await (try DaskBackend(cluster)).close()
    cluster.stopScheduler()
    await #expect { try await DaskBackend(cluster) { $0.connectTimeout = 2 } } throws: {
      "\($0)".contains("has said nothing for 2 s")
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

  @Test func addressesThatCannotBeAreSaidToBe() throws {
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    func errors(_ arguments: String..., code: Int = 2) throws -> String {
      let run = try runProgram(Self.apus, Self.search + arguments, environment: Self.environment(folder))
      #expect(run.exitCode == code, "\(run)")
      return run.errors
    }
    let portless = try errors("tcp://127.0.0.1")
    #expect(
      portless.contains("names no port") && portless.contains("write tcp://127.0.0.1:8786"), "\(portless)")
    #expect(try errors("tls://[::1]").contains("write tls://[::1]:8786"))
    #expect(try errors("tcp://").contains("does not name a host and a port"))
    #expect(try errors("tcp://::1:8786").contains("put in brackets"))
    let certificates = folder.appendingPathComponent("none").path
    let insecure = try errors("tcp://127.0.0.1:9", "--certificates", certificates)
    #expect(
      insecure.contains("an address without TLS") && insecure.contains("write tls://127.0.0.1:9"),
      "\(insecure)")
    let missing = try errors("tls://127.0.0.1:9", "--certificates", certificates, code: 3)
    #expect(missing.contains("\(certificates)/authority.pem cannot be read: No such file"), "\(missing)")
  }

  @Test func whereNobodyAnswersTheTimeIsSaid() throws {
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    func errors(_ address: String) throws -> String {
      try runProgram(
        Self.apus, Self.search + [address, "--connect-timeout", "1"], environment: Self.environment(folder)
      ).errors
    }
    let nameless = try errors("tcp://scheduler.invalid:8786")
    #expect(
      nameless.contains("Timed out trying to connect to tcp://scheduler.invalid:8786 after 1 s"),
      "\(nameless)")
    let refused = try errors("tcp://127.0.0.1:9")
    #expect(refused.contains("tcp://127.0.0.1:9 after 1 s\n"), "\(refused)")
  }

  @Test(arguments: [LocalDask.python, LocalDask.olderPython])
  func whoSpeaksTLSAndWhoDoesNotIsSaid(python: String) async throws {
    let folder = try Self.folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let certificates = ClusterCertificates(folder: folder.appendingPathComponent("certificates").path)
    try certificates.make(hosts: ["127.0.0.1"])
    let (open, shut) = (
      try LocalDask(workers: 1, python: python),
      try LocalDask(workers: 1, python: python, certificates: certificates)
    )
    for cluster in [open, shut] {
      let backend = try await DaskBackend(cluster) {
        $0.python = python
        $0.security = cluster.address.hasPrefix("tls") ? certificates.security : nil
      }
      await backend.close()
    }
    func refusal(_ address: String, _ security: ClusterSecurity?) async -> String {
      var settings = ClusterSettings()
      settings.python = python
      settings.security = security
      do {
        await (try DaskBackend(address, registry: TestJobs.registry, settings: settings)).close()
        return ""
      } catch { return "\(error)" }
    }
    let plain = await refusal("tls\(open.address.dropFirst(3))", certificates.security)
    #expect(plain.contains("does not speak TLS; a scheduler without it is \(open.address)"), "\(plain)")
    let secure = await refusal("tcp\(shut.address.dropFirst(3))", nil)
    #expect(secure.contains("so does one that speaks TLS, \(shut.address)"), "\(secure)")
    let others = ClusterCertificates(folder: folder.appendingPathComponent("others").path)
    try others.make(hosts: ["127.0.0.1"])
    let stranger = await refusal(shut.address, others.security)
    #expect(stranger.contains("is not of the same authority"), "\(stranger)")
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
    #expect(run.exitCode == 5 && run.errors.contains("pip install"), "\(run)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }
}
