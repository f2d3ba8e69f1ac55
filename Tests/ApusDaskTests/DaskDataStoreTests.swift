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

  /// Sums shared numbers on a cluster whose workers load them from a store; client and workers have an environment.
  private func sum(_ count: Int, from store: String, environment: [String: String] = [:]) async throws {
    let cluster = try LocalDask(workers: 1, environment: environment)
    let python = try LocalDask.python(with: environment, in: cluster.folder)
    let backend = try await DaskBackend(cluster) {
      $0.dataStore = store
      $0.python = python
    }
    let reference = try await backend.put(SharedNumbers(count: count))
    for await result in backend.run([SumShared(numbers: reference)]) {
      #expect(try result.outcome.get().sum == Double(count - 1) * Double(count) / 2)
    }
    await backend.close()
  }

  /// The message with which placing data on a store fails; workers have the client's environment unless given.
  private func failure(
    of count: Int, from store: String, environment: [String: String] = [:], workers: [String: String]? = nil
  ) async throws -> String {
    let cluster = try LocalDask(workers: 1, environment: workers ?? environment)
    let python = try LocalDask.python(with: environment, in: cluster.folder)
    let backend = try await DaskBackend(cluster) {
      $0.dataStore = store
      $0.python = python
    }
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
    try await makeReady(Self.visit, [web])
    let absent = try await failure(of: own, from: web)
    #expect(absent.contains("a web server takes no files"), "\(absent)")

    try await sum(own, from: folder.path)
    try await sum(own + 1, from: "file://\(folder.path)")
    #expect(try files().count == 2)
    try await sum(own, from: web)

    // Somebody changes a byte: it is refused, by name.
    try damageFiles()
    let damaged = try await failure(of: own, from: web)
    #expect(damaged.contains(web) && damaged.contains("arrived on"), "\(damaged)")
    #expect(damaged.contains("with digest") && damaged.contains("expected"), "\(damaged)")
  }

  @Test func fromAWebServerThatUsesTLS() async throws {
    let certificates = ClusterCertificates(folder: "\(folder.path)-certificates")
    defer {
      for path in [folder.path, certificates.folder] { try? FileManager.default.removeItem(atPath: path) }
    }
    try certificates.make(hosts: ["127.0.0.1"])
    let port = try LocalDask.freePort()
    let server = try start([
      "-c",
      """
      import functools, http.server, ssl, sys
      port, folder, certificates = sys.argv[1:]
      handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
      context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
      context.load_cert_chain(f"{certificates}/scheduler.pem", f"{certificates}/scheduler.key")
      server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), handler)
      server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
      server.serve_forever()
      """, "\(port)", folder.path, certificates.folder,
    ])
    defer { kill(server.processIdentifier, SIGKILL) }
    let web = "https://127.0.0.1:\(port)"
    // How users make known an authority that their system does not know.
    let trust = ["SSL_CERT_FILE": "\(certificates.folder)/authority.pem"]
    try await makeReady(Self.visit, [web], environment: trust)
    let absent = try await failure(of: own + 7, from: web, environment: trust)
    #expect(absent.contains("a web server takes no files"), "\(absent)")

    try await sum(own + 7, from: folder.path)
    try await sum(own + 7, from: web, environment: trust)

    // Who does not know the authority takes nothing from the server: the client, and each worker.
    let strange = try await failure(of: own + 7, from: web)
    #expect(
      strange.contains("cannot use \(web)/") && strange.contains("CERTIFICATE_VERIFY_FAILED"), "\(strange)")
    let stranger = try await failure(of: own + 7, from: web, environment: trust, workers: [:])
    #expect(stranger.contains("cannot load \(web)/"), "\(stranger)")
    #expect(stranger.contains("CERTIFICATE_VERIFY_FAILED"), "\(stranger)")

    try damageFiles()
    let damaged = try await failure(of: own + 7, from: web, environment: trust)
    #expect(damaged.contains(web) && damaged.contains("arrived on"), "\(damaged)")
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
    try await makeReady(
      """
      import boto3
      boto3.client("s3").create_bucket(Bucket="sweeps")
      """, environment: environment)
    try await sum(own + 2, from: "s3://sweeps/data", environment: environment)
    // A bucket that is not there is an error, and is not made.
    let missing = try await failure(of: own + 3, from: "s3://nowhere/data", environment: environment)
    #expect(missing.contains("cannot write s3://nowhere/data/"), "\(missing)")
    #expect(missing.contains("there is no such bucket"), "\(missing)")
    let buckets = try runProgram(
      LocalDask.python,
      ["-c", "import boto3; print([b['Name'] for b in boto3.client('s3').list_buckets()['Buckets']])"],
      environment: environment)
    #expect(buckets.output == "['sweeps']\n", "\(buckets)")
    // Each side uses the credentials of its own environment.
    var strangers = environment
    strangers["AWS_ACCESS_KEY_ID"] = ""
    strangers["AWS_SECRET_ACCESS_KEY"] = ""
    strangers["AWS_EC2_METADATA_DISABLED"] = "true"
    strangers["HOME"] = folder.path
    let refused = try await failure(
      of: own + 4, from: "s3://sweeps/others", environment: environment, workers: strangers)
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
    try await makeReady(
      """
      import os, urllib.request
      host = os.environ["STORAGE_EMULATOR_HOST"]
      urllib.request.urlopen(urllib.request.Request(
          host + "/storage/v1/b?project=tests", data=b'{"name": "sweeps"}',
          headers={"Content-Type": "application/json"}))
      """, environment: environment)
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

  private static let visit = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).close()"

  /// Runs a Python program that uses a server until it succeeds; the suite has a time limit.
  private func makeReady(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:]
  ) async throws {
    while try runProgram(LocalDask.python, ["-c", program] + arguments, environment: environment).exitCode
      != 0
    {
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Somebody changes a byte of each file.
  private func damageFiles() throws {
    for file in try files() {
      var bytes = try Data(contentsOf: file)
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: file)
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
