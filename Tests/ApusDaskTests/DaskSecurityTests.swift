import ApusDask
import ApusParallel
import ApusTestJobs
import ApusTestSupport
import Foundation
import Synchronization
import Testing

/// Clusters that speak TLS.
@Suite(.serialized, .timeLimit(.minutes(10))) struct DaskSecurityTests {
  @Test func clientsProveWhoTheyAre() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-certs-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let certificates = ClusterCertificates(folder: folder.path)
    try certificates.make(hosts: ["127.0.0.1", "localhost"])
    let permissions = try FileManager.default.attributesOfItem(atPath: folder.path)[.posixPermissions] as? Int
    #expect(permissions == 0o700)
    // As Python 3.13 and later verify them.
    for role in ["scheduler", "worker", "client"] {
      let verified = try runProgram(
        "openssl",
        [
          "verify", "-x509_strict", "-CAfile", "\(folder.path)/authority.pem", "\(folder.path)/\(role).pem",
        ])
      #expect(verified.exitCode == 0, "\(verified)")
    }
    #expect { try certificates.make(hosts: ["127.0.0.1"]) } throws: {
      "\($0)".contains("has certificates already")
    }

    let cluster = try LocalDask(workers: 1, certificates: certificates)
    let backend = try await DaskBackend(cluster, { $0.security = certificates.security })
    for await result in backend.run([Square(number: 5)]) { #expect(try result.outcome.get() == 25) }
    await backend.close()

    await #expect { try await DaskBackend(cluster) } throws: { "\($0)".contains("no certificates are given") }
    let strangers = folder.appendingPathComponent("strangers")
    let others = ClusterCertificates(folder: strangers.path)
    try others.make(hosts: ["127.0.0.1"])
    await #expect {
      try await DaskBackend(
        cluster,
        {
          $0.security = others.security
          $0.connectTimeout = 3
        })
    } throws: {
      "\($0)".contains("cannot connect to the scheduler tls://")
    }
  }

  /// A cluster changes over to new certificates while somebody holds old ones: a Job on Kubernetes, for one.
  @Test func holdersOfOldCertificatesGoOnAfterARenewal() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-certs-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let team = folder.appendingPathComponent("team")
    let certificates = ClusterCertificates(folder: team.path)
    try certificates.make(hosts: ["127.0.0.1", "scheduler"])
    let old = ClusterCertificates(folder: folder.appendingPathComponent("old").path)
    try FileManager.default.copyItem(atPath: team.path, toPath: old.folder)
    let cluster = try LocalDask(workers: 1, certificates: certificates)
    let backend = try await DaskBackend(cluster, { $0.security = old.security })
    for await result in backend.run([Square(number: 5)]) { #expect(try result.outcome.get() == 25) }

    try certificates.renew(addingHosts: ["localhost", "scheduler"])
    func contents(_ folder: String) throws -> [String: Data] {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      return Dictionary(
        uniqueKeysWithValues: try names.map {
          ($0, try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")))
        })
    }
    let before = try contents(old.folder)
    let after = try contents(team.path)
    #expect(Set(before.keys) == Set(after.keys))
    let changed = before.keys.filter { before[$0] != after[$0] && !$0.hasSuffix(".srl") }
    let leaves = ["scheduler", "worker", "client"].flatMap { ["\($0).key", "\($0).pem"] }
    #expect(Set(changed) == Set(leaves), "the authority stays")
    let names = try runProgram(
      "openssl", ["x509", "-in", "\(team.path)/worker.pem", "-noout", "-ext", "subjectAltName"])
    #expect(
      names.output.contains("IP Address:127.0.0.1, DNS:scheduler, DNS:localhost\n"), "\(names)")

    // The same client goes on, and new ones of either kind come.
    try cluster.restartScheduler()
    try cluster.addWorker()
    for await result in backend.run([Square(number: 6)]) { #expect(try result.outcome.get() == 36) }
    await backend.close()
    for holder in [old, certificates] {
      let client = try await DaskBackend(cluster, { $0.security = holder.security })
      for await result in client.run([Square(number: 7)]) { #expect(try result.outcome.get() == 49) }
      await client.close()
    }

    // Nothing is signed that would outlive the authority, and nothing without its key.
    #expect { try certificates.renew(days: 10_000) } throws: {
      "\($0)".contains("not valid for 10000 more days")
    }
    try FileManager.default.removeItem(atPath: "\(team.path)/authority.key")
    #expect { try certificates.renew() } throws: { "\($0)".contains("has no authority.key") }
    #expect(try contents(team.path) == after.filter { $0.key != "authority.key" })
  }

  @Test func hostsGetTheProgramFromEachOtherOverTLS() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-certs-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let certificates = ClusterCertificates(folder: folder.path)
    try certificates.make(hosts: ["127.0.0.1"])
    let cluster = try LocalDask(workers: 0, certificates: certificates)
    for host in 1...2 {
      let place = cluster.folder.appendingPathComponent("host-\(host)")
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      try cluster.addWorker(
        through: ["/usr/bin/env", "TMPDIR=\(place.path)"], ["--host", "127.0.0.\(host)"])
    }
    let backend = try await DaskBackend(cluster, { $0.security = certificates.security })
    let record = Mutex(RunRecord())
    let jobs = JobsUntil(least: 100) { record.withLock { $0.workers.count } == 2 }
    try await record.expectSameBits(jobs, on: backend, options: RunOptions(seed: Seed(4), lookAhead: 400))
    await backend.close()
    // Dask's workers write down what they are asked for.
    let logs = try (0..<2).map {
      try String(contentsOf: cluster.folder.appendingPathComponent("worker-\($0).log"), encoding: .utf8)
    }
    for (function, other) in [("store_scattered", "load_from_peer"), ("load_from_peer", "store_scattered")] {
      let having = logs.filter { $0.contains(function) }
      #expect(having.count == 1 && having.first?.contains(other) == false, "\(logs)")
    }
  }

  @Test func certificatesNameHostsByAllTheirKindsOfNames() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-certs-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let certificates = ClusterCertificates(folder: folder.path)
    try certificates.make(hosts: [
      "10.0.0.7", "2001:db8::7", "[fe80::1]", "scheduler.example.org", "7up", "face",
    ])
    let shown = try runProgram(
      "openssl", ["x509", "-in", "\(folder.path)/scheduler.pem", "-noout", "-ext", "subjectAltName"])
    let names = shown.output.split(separator: "\n").dropFirst().joined().split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    #expect(
      names == [
        "IP Address:10.0.0.7", "IP Address:2001:DB8:0:0:0:0:0:7", "IP Address:FE80:0:0:0:0:0:0:1",
        "DNS:scheduler.example.org", "DNS:7up", "DNS:face",
      ], "\(shown)")
  }

  @Test(.blocking) func certificatesThatCannotBeMadeLeaveNothing() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-certs-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let apus = buildFolder.appendingPathComponent("apus").path
    func certs(_ arguments: String...) throws -> ProgramResult {
      try runProgram(apus, ["cluster", "certs", folder.path] + arguments)
    }
    for host in ["a b,c", "", "a,DNS:b", "é"] {
      let run = try certs("--host", host)
      #expect(
        run.exitCode == 2 && run.errors.contains("'\(host)' is not the name or address of a host"), "\(run)")
    }
    for days in ["9223372036854775807", "36501", "0"] {
      let run = try certs("--days", days)
      #expect(run.exitCode == 2 && run.errors.contains("cannot be valid for \(days) days"), "\(run)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.path))
    // As a program that is not there fails in the middle.
    let commands = folder.appendingPathComponent("commands")
    try FileManager.default.createDirectory(at: commands, withIntermediateDirectories: true)
    let failing = commands.appendingPathComponent("openssl")
    try "#!/bin/sh\n[ \"$1\" = req ] && PATH=/usr/bin:/bin exec openssl \"$@\"\necho no >&2; exit 1\n".write(
      to: failing, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: failing.path)
    let team = folder.appendingPathComponent("team")
    let half = try runProgram(
      apus, ["cluster", "certs", team.path], environment: ["PATH": "\(commands.path):/usr/bin:/bin"])
    #expect(half.exitCode == 3 && half.errors.contains("openssl x509 failed: no"), "\(half)")
    #expect(!FileManager.default.fileExists(atPath: team.path))

    // A folder that is there is shut before keys lie in it; one with files of others is not taken.
    func mode(_ path: String) throws -> Int? {
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }
    try FileManager.default.createDirectory(
      at: team, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    try Data().write(to: team.appendingPathComponent("own.txt"))
    let open = try runProgram(apus, ["cluster", "certs", team.path])
    #expect(open.exitCode == 3 && open.errors.contains("is open to others"), "\(open)")
    #expect(try mode(team.path) == 0o755)
    #expect(try FileManager.default.contentsOfDirectory(atPath: team.path) == ["own.txt"])
    try FileManager.default.removeItem(at: team.appendingPathComponent("own.txt"))
    let made = try runProgram(apus, ["cluster", "certs", team.path, "--days", "36500"])
    #expect(made.exitCode == 0, "\(made)")
    #expect(try mode(team.path) == 0o700 && mode("\(team.path)/authority.key") == 0o600)
    #expect(!FileManager.default.fileExists(atPath: "\(team.path)/unfinished"))
  }

  @Test(.blocking) func certificatesOfTheCommandServeASearch() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-certs-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let apus = buildFolder.appendingPathComponent("apus").path
    let made = try runProgram(apus, ["cluster", "certs", folder.path])
    try #require(made.exitCode == 0, "\(made.errors)")
    let cluster = try LocalDask(workers: 1, certificates: ClusterCertificates(folder: folder.path))
    let results = folder.appendingPathComponent("results.csv").path
    let search = [
      "search", "iris", "--estimator", "k-neighbours-classifier", "--param", "neighbourCount=1,3,5",
      "--backend",
      "dask", "--scheduler", cluster.address, "--connect-timeout", "120", "--workers", "-1", "--results",
      results,
    ]
    let environment = ["APUS_PYTHON": LocalDask.python]
    let run = try runProgram(apus, search + ["--certificates", folder.path], environment: environment)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(try String(contentsOfFile: results, encoding: .utf8).split(separator: "\n").count == 4)
    let bare = try runProgram(apus, search, environment: environment)
    #expect(bare.exitCode == 2 && bare.errors.contains("no certificates are given"), "\(bare.errors)")
  }
}
