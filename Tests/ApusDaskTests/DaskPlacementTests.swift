import ApusDask
import ApusParallel
import ApusProcesses
import ApusTestJobs
import ApusTestSupport
import Foundation
import Testing

/// Which files lie on the hosts of a cluster, and for how long.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DaskPlacementTests {
  /// Data of a size that no other test's has, so that its file is known by it.
  private let count = 300_000 + 100 * Int(getpid() % 10_000)

  private func dataFiles() throws -> [URL] {
    let place = URL(fileURLWithPath: "/dev/shm/apus-\(getuid())")
    let files = try? FileManager.default.contentsOfDirectory(
      at: place, includingPropertiesForKeys: [.fileSizeKey])
    return (files ?? []).filter {
      let size = (try? $0.resourceValues(forKeys: [.fileSizeKey]))?.fileSize ?? 0
      return (count * 8..<count * 8 + 800).contains(size)
    }
  }

  /// A cluster whose workers keep programs in a folder of its own.
  private func cluster(_ environment: [String: String] = [:]) throws -> (LocalDask, programs: URL) {
    let temporary = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-tmp-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
    let dask = try LocalDask(
      workers: 1, environment: environment.merging(["TMPDIR": temporary.path]) { $1 })
    return (dask, temporary.appendingPathComponent("apus-\(getuid())"))
  }

  private func names(_ folder: URL) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
  }

  private func expectSum(_ backend: DaskBackend, _ reference: DataReference<SharedNumbers>) async throws {
    for await result in backend.run([SumShared(numbers: reference)]) {
      #expect(try result.outcome.get().sum == Double(count - 1) * Double(count) / 2)
    }
  }

  @Test func dataGoesWithItsSessionAndTheProgramStaysForTheNext() async throws {
    let (dask, programs) = try cluster()
    defer { try? FileManager.default.removeItem(at: programs.deletingLastPathComponent()) }
    let digest = try Executable.digest(of: LocalDask.program)
    var inodes = Set<Int>()
    for _ in 0..<2 {
      let backend = try await DaskBackend(dask)
      try await expectSum(backend, try await backend.put(SharedNumbers(count: count)))
      #expect(try dataFiles().count == 1)
      #expect(names(programs).contains { $0.hasPrefix("\(digest).") && !$0.hasSuffix(".kept") })
      await backend.close()
      // A busy machine may take longer than the client waits at its end.
      while try !dataFiles().isEmpty || names(programs) != ["\(digest).kept"] {
        try await Task.sleep(for: .milliseconds(50))
      }
      let kept = programs.appendingPathComponent("\(digest).kept").path
      inodes.insert(try FileManager.default.attributesOfItem(atPath: kept)[.systemFileNumber] as? Int ?? 0)
    }
    // The second client found it there.
    #expect(inodes.count == 1 && !inodes.contains(0))
  }

  @Test(.blocking) func nothingIsLeftOfAClientThatIsKilled() throws {
    let (dask, programs) = try cluster()
    defer { try? FileManager.default.removeItem(at: programs.deletingLastPathComponent()) }
    let search = Process()
    search.executableURL = buildFolder.appendingPathComponent("apus")
    search.arguments = [
      "search", "letter", "--estimator", "random-forest-classifier", "--param",
      "treeCount=1000,1100,1200,1300",
      "--backend", "dask", "--scheduler", dask.address, "--connect-timeout", "120",
    ]
    search.environment = ProcessInfo.processInfo.environment.merging(["APUS_PYTHON": LocalDask.python]) { $1 }
    search.standardOutput = FileHandle.nullDevice
    search.standardError = FileHandle.nullDevice
    try search.run()
    let shared = URL(fileURLWithPath: "/dev/shm/apus-\(getuid())")
    func files(of session: Substring) -> [String] {
      (names(programs) + names(shared)).filter { $0.hasSuffix(".\(session)") }
    }
    // The program is there under its session's name, then the data, and fits run.
    var session: Substring?
    while session == nil || session.map({ files(of: $0).count < 2 }) == true {
      try #require(search.isRunning)
      session =
        names(programs).first { !$0.hasSuffix(".part") && !$0.hasSuffix(".kept") }?.split(separator: ".").last
      usleep(50_000)
    }
    kill(search.processIdentifier, SIGKILL)
    search.waitUntilExit()
    while files(of: try #require(session)) != [] { usleep(50_000) }
  }

  @Test func aHostThatHasTheProgramIsSentNone() async throws {
    let (dask, programs) = try cluster(["APUS_EXECUTABLE": LocalDask.program])
    defer { try? FileManager.default.removeItem(at: programs.deletingLastPathComponent()) }
    let backend = try await DaskBackend(dask)
    for await result in backend.run([Square(number: 4)]) { #expect(try result.outcome.get() == 16) }
    #expect(names(programs).isEmpty)
    await backend.close()
  }

  @Test func aHostThatComesBackEmptyGetsItAllAgain() async throws {
    let (dask, programs) = try cluster()
    defer { try? FileManager.default.removeItem(at: programs.deletingLastPathComponent()) }
    let port = "\(try LocalDask.freePort())"
    try dask.addWorker(["--host", "127.0.0.1", "--worker-port", port])
    dask.killWorker(0)
    let backend = try await DaskBackend(dask)
    while !backend.status.workers.keys.contains("tcp://127.0.0.1:\(port)") || backend.status.workers.count > 1
    {
      try await Task.sleep(for: .milliseconds(50))
    }
    let reference = try await backend.put(SharedNumbers(count: count))
    try await expectSum(backend, reference)
    dask.killWorker(1)
    for file in try dataFiles() { try FileManager.default.removeItem(at: file) }
    try FileManager.default.removeItem(at: programs)
    // At the same address, at once: the client may not even see that it was gone.
    try dask.addWorker(["--host", "127.0.0.1", "--worker-port", port])
    try await expectSum(backend, reference)
    #expect(try dataFiles().count == 1)
    await backend.close()
  }

  @Test func dataThatCannotBePlacedHarmsNothingElse() async throws {
    let (dask, programs) = try cluster()
    defer { try? FileManager.default.removeItem(at: programs.deletingLastPathComponent()) }
    let store = dask.folder.appendingPathComponent("store")
    try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
    let first = try await DaskBackend(dask) { $0.dataStore = store.path }
    try await expectSum(first, try await first.put(SharedNumbers(count: count)))
    await first.close()
    for file in try FileManager.default.contentsOfDirectory(at: store, includingPropertiesForKeys: nil) {
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: file)
    }
    let second = try await DaskBackend(dask) { $0.dataStore = store.path }
    // Nobody is told that it is there, however often it is tried; and all who try at once are told.
    async let once = failureOfPut(second)
    async let twice = failureOfPut(second)
    for message in [try await once, try await twice, try await failureOfPut(second)] {
      #expect(message.contains("arrived on") && message.contains("expected"), "\(message)")
    }
    for await result in second.run([Square(number: 2)]) { #expect(try result.outcome.get() == 4) }
    await second.close()
  }

  private func failureOfPut(_ backend: DaskBackend) async throws -> String {
    do {
      _ = try await backend.put(SharedNumbers(count: count))
      return "it was placed"
    } catch { return "\(error)" }
  }
}
