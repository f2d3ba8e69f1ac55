import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Testing

/// Workers load data by themselves: from a folder, a web server and an object store, all real.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DaskDataStoreTests {
  private let folder: URL
  /// The size of data that no other test has, of this or another program: a host loads no file that it has already.
  private let own = 10_000 + 10 * Int(getpid() % 100_000)

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("apus-store-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// Sums shared numbers on a cluster whose workers load them from a store.
  private func sum(_ count: Int, from store: String, environment: [String: String] = [:]) async throws {
    let cluster = try LocalDask(workers: 1, environment: environment)
    let backend = try await DaskBackend(cluster) { $0.dataStore = store }
    let reference = try await backend.put(SharedNumbers(count: count))
    for await result in backend.run([SumShared(numbers: reference)]) {
      #expect(try result.outcome.get().sum == Double(count - 1) * Double(count) / 2)
    }
    await backend.close()
  }

  /// The message with which placing data on a store fails.
  private func failure(
    of count: Int, from store: String, environment: [String: String] = [:]
  ) async throws -> String {
    let cluster = try LocalDask(workers: 1, environment: environment)
    let backend = try await DaskBackend(cluster) { $0.dataStore = store }
    // Without a worker nothing would be loaded yet.
    while backend.status.workers.isEmpty { try await Task.sleep(for: .milliseconds(50)) }
    var message = ""
    do {
      _ = try await backend.put(SharedNumbers(count: count))
      Issue.record("it was placed")
    } catch { message = "\(error)" }
    await backend.close()
    return message
  }

  private func files() throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
  }

  @Test func fromAFolderAndFromAWebServer() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let port = try LocalDask.freePort()
    let server = try start(["-m", "http.server", "\(port)", "--bind", "127.0.0.1", "-d", folder.path])
    defer { kill(server.processIdentifier, SIGKILL) }
    let web = "http://127.0.0.1:\(port)"
    let absent = try await failure(of: own, from: web)
    #expect(absent.contains("a web server takes no files"), "\(absent)")

    try await sum(own, from: folder.path)
    try await sum(own + 1, from: "file://\(folder.path)")
    #expect(try files().count == 2)
    try await sum(own, from: web)

    // Somebody changes a byte: it is refused, by name.
    for file in try files() {
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: file)
    }
    let damaged = try await failure(of: own, from: web)
    #expect(damaged.contains(web) && damaged.contains("arrived on"), "\(damaged)")
    #expect(damaged.contains("with digest") && damaged.contains("expected"), "\(damaged)")
  }

  @Test func fromAnObjectStore() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let port = try LocalDask.freePort()
    let server = try start(["-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"])
    defer { kill(server.processIdentifier, SIGKILL) }
    let environment = [
      "AWS_ENDPOINT_URL": "http://127.0.0.1:\(port)", "AWS_ACCESS_KEY_ID": "someone",
      "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1",
    ]
    // The bridge takes its credentials from this program's environment, workers from theirs.
    for (name, value) in environment { setenv(name, value, 1) }
    defer { for name in environment.keys { unsetenv(name) } }
    try makeBucket(
      """
      import boto3
      boto3.client("s3").create_bucket(Bucket="sweeps")
      """)
    try await sum(own + 2, from: "s3://sweeps/data", environment: environment)
    // A bucket that is not there is an error, and is not made.
    let missing = try await failure(of: own + 3, from: "s3://nowhere/data", environment: environment)
    #expect(missing.contains("cannot write s3://nowhere/data/"), "\(missing)")
    #expect(missing.contains("there is no such bucket"), "\(missing)")
    let buckets = try runProgram(
      LocalDask.python,
      ["-c", "import boto3; print([b['Name'] for b in boto3.client('s3').list_buckets()['Buckets']])"])
    #expect(buckets.output == "['sweeps']\n", "\(buckets)")
    var strangers = environment
    strangers["AWS_ACCESS_KEY_ID"] = ""
    strangers["AWS_SECRET_ACCESS_KEY"] = ""
    strangers["AWS_EC2_METADATA_DISABLED"] = "true"
    strangers["HOME"] = folder.path
    let refused = try await failure(of: own + 4, from: "s3://sweeps/others", environment: strangers)
    #expect(refused.contains("no credentials"), "\(refused)")
  }

  @Test func fromGooglesObjectStore() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let port = try LocalDask.freePort()
    let server = try start(
      ["-m", "gcp_storage_emulator", "start", "--host=127.0.0.1", "--port=\(port)", "--in-memory"])
    defer { kill(server.processIdentifier, SIGKILL) }
    let environment = [
      "STORAGE_EMULATOR_HOST": "http://127.0.0.1:\(port)", "GOOGLE_CLOUD_PROJECT": "tests",
    ]
    for (name, value) in environment { setenv(name, value, 1) }
    defer { for name in environment.keys { unsetenv(name) } }
    try makeBucket(
      """
      import os, urllib.request
      host = os.environ["STORAGE_EMULATOR_HOST"]
      urllib.request.urlopen(urllib.request.Request(
          host + "/storage/v1/b?project=tests", data=b'{"name": "sweeps"}',
          headers={"Content-Type": "application/json"}))
      """)
    try await sum(own + 5, from: "gs://sweeps/data", environment: environment)
    let missing = try await failure(of: own + 6, from: "gs://nowhere/data", environment: environment)
    #expect(missing.contains("cannot write gs://nowhere/data/"), "\(missing)")
  }

  @Test func whatIsNoPlaceIsRefused() async throws {
    var settings = ClusterSettings()
    settings.dataStore = "somewhere"
    await #expect {
      _ = try await DaskBackend("tcp://127.0.0.1:9", registry: TestJobs.registry, settings: settings)
    } throws: {
      "\($0)".contains("'somewhere' is not a place for data")
    }
  }

  /// Asks a server for a bucket until it is there; the suite has a time limit.
  private func makeBucket(_ program: String) throws {
    while try runProgram(LocalDask.python, ["-c", program]).exitCode != 0 {
      try Task.checkCancellation()
      usleep(100_000)
    }
  }

  private func start(_ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: LocalDask.python)
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }
}
