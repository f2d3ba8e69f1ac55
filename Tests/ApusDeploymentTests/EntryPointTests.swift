import ApusTestSupport
import Foundation
import Testing

/// The scripts of the image, run by the shell of this machine.
@Suite(.blocking) struct EntryPointTests {
  private let script = repositoryRoot.appendingPathComponent("container/apus-container").path

  /// The entry point without a cluster: a role that would be open to everybody does not start.
  @Test(arguments: ["scheduler", "worker"])
  func rolesDoNotStartWithoutCertificates(role: String) throws {
    let open = try runProgram("/bin/sh", [script, role], environment: ["APUS_CERTIFICATES": ""])
    #expect(open.exitCode == 2, "\(open.errors)")
    #expect(open.errors.contains("without TLS"))
    let missing = try runProgram("/bin/sh", [script, role], environment: ["APUS_CERTIFICATES": "/nowhere"])
    #expect(missing.exitCode == 3, "\(missing.errors)")
    #expect(missing.errors.contains("/nowhere/authority.pem"))
    let program = try runProgram("/bin/sh", [script, "echo", "a  b"])
    #expect(program.output == "a  b\n")
  }

  /// A folder with programs of a test's own in front of those of the machine, and the built `apus` behind them.
  private func path(_ folder: URL, _ programs: [String: String] = [:]) throws -> String {
    for (name, text) in programs {
      let file = folder.appendingPathComponent(name)
      try Data("#!/bin/sh\n\(text)\n".utf8).write(to: file)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    }
    return "\(folder.path):\(buildFolder.path):/usr/local/bin:/usr/bin:/bin"
  }

  /// Control groups of both versions, and the slots that a worker gets.
  @Test(
    arguments: [
      (["cpu.max": "max 100000"], nil), (["cpu.max": "50000 100000"], 1), (["cpu.max": "150000 100000"], 2),
      (["cpu.max": "400000 100000"], 4),
      (["cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"], nil),
      (["cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"], 3), ([:], nil),
    ] as [([String: String], Int?)])
  func slotsFollowTheQuota(files: [String: String], slots: Int?) throws {
    try withTemporaryFolder { folder in
      for (name, text) in files {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("\(text)\n".utf8).write(to: file)
      }
      // It is called in Dask's place, and says with what.
      let environment = [
        "PATH": try path(folder, ["dask": "echo \"$@\"; exit 9"]), "APUS_CGROUP": folder.path,
        "APUS_INSECURE": "yes",
        "APUS_CERTIFICATES": "", "APUS_SCHEDULER": "tcp://scheduler:8786", "APUS_SLOTS": "",
        "APUS_HEALTH": folder.appendingPathComponent("health").path,
      ]
      let run = try runProgram("/bin/sh", [script, "worker"], environment: environment)
      #expect(run.exitCode == 9 && run.output.hasPrefix("worker tcp://scheduler:8786 "), "\(run)")
      let given = run.output.firstMatch(of: /--nthreads (\d+)/).flatMap { Int($0.1) }
      #expect(given == slots, "\(run.output)")
      // What is asked for counts more than the quota.
      let asked = try runProgram(
        "/bin/sh", [script, "worker"], environment: environment.merging(["APUS_SLOTS": "7"]) { $1 })
      #expect(asked.output.contains("--nthreads 7 "), "\(asked)")
    }
  }

  /// A worker ends with its scheduler, and well. An engine would wait longer each time before it started it again.
  @Test func aWorkerBeginsAnewInItsContainerUntilItIsAskedToEnd() throws {
    try withTemporaryFolder { folder in
      func run(_ dask: String) throws -> (exitCode: Int, workers: Int) {
        let log = folder.appendingPathComponent("log")
        try Data().write(to: log)
        let environment = [
          "PATH": try path(folder, ["dask": "echo worker >>'\(log.path)'\n\(dask)"]), "APUS_INSECURE": "yes",
          "APUS_CERTIFICATES": "", "APUS_SCHEDULER": "tcp://scheduler:8786", "LOG": log.path,
          "APUS_HEALTH": folder.appendingPathComponent("health").path,
        ]
        let run = try runProgram("/bin/sh", [script, "worker"], environment: environment)
        return (run.exitCode, try String(contentsOf: log, encoding: .utf8).split(separator: "\n").count)
      }
      let lost = try run("[ $(wc -l <\"$LOG\") -lt 3 ] || exit 7")
      #expect(lost == (7, 3), "two schedulers are lost, and then the worker fails")
      // As the init of the image asks: all processes of the container.
      let asked = try run("kill -TERM $PPID; exit 0")
      #expect(asked == (0, 1))
      let killed = try run("kill -TERM $PPID; exit 9")
      #expect(killed == (9, 1))
    }
  }

  @Test func healthIsWhatTheRoleAnswers() throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("health").path
      func health(_ question: String = "health") throws -> Int {
        try runProgram(
          "/bin/sh", [script, question], environment: ["APUS_HEALTH": file, "APUS_PYTHON": "python3"]
        ).exitCode
      }
      #expect(try health() == 0, "a program that serves nothing is well")
      #expect(try health("ready") == 0)
      let server = Process()
      server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      server.arguments = [
        "python3", "-u", "-c",
        """
        import http.server, sys
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        print(server.server_port)
        server.serve_forever()
        """,
      ]
      server.currentDirectoryURL = folder
      let output = Pipe()
      server.standardOutput = output
      server.standardError = FileHandle.nullDevice
      try server.run()
      defer { kill(server.processIdentifier, SIGKILL) }
      let port = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        .trimmingCharacters(in: .whitespacesAndNewlines)
      try Data("http://127.0.0.1:\(port)/\n".utf8).write(to: URL(fileURLWithPath: file))
      #expect(try health() == 0)
      #expect(try health("ready") == 0, "the same question, for roles that have one")
      try Data("http://127.0.0.1:\(port)/\nhttp://127.0.0.1:\(port)/nowhere\n".utf8)
        .write(to: URL(fileURLWithPath: file))
      #expect(try health() == 0)
      #expect(try health("ready") != 0, "well, but not ready")
      try Data("http://127.0.0.1:\(port)/nowhere\n".utf8).write(to: URL(fileURLWithPath: file))
      #expect(try health() != 0, "an answer that says no")
      kill(server.processIdentifier, SIGKILL)
      server.waitUntilExit()
      try Data("http://127.0.0.1:\(port)/\n".utf8).write(to: URL(fileURLWithPath: file))
      #expect(try health() != 0, "nobody answers")
    }
  }

  /// The volume is mounted where users' code runs: what makes further certificates must not be on it.
  @Test func certificatesAreMadeOnceAndTheAuthoritysKeyIsForgotten() throws {
    try withTemporaryFolder { folder in
      let volume = folder.appendingPathComponent("certificates")
      try FileManager.default.createDirectory(at: volume, withIntermediateDirectories: false)
      let programs = folder.appendingPathComponent("programs")
      try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: false)
      func make(_ programs: String) throws -> ProgramResult {
        try runProgram(
          "/bin/sh", [script, "certificates"],
          environment: ["PATH": programs, "APUS_CERTIFICATES": volume.path])
      }
      func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: volume.path).sorted()
      }
      // Making them is cut off in the middle: the next run makes them all.
      let half = try path(
        programs, ["apus": "mkdir \"$3\" && touch \"$3/authority.pem\" \"$3/authority.key\"; exit 9"])
      #expect(try make(half).exitCode == 9)
      #expect(try !names().contains("authority.pem"))
      let whole = [
        "authority.pem", "client.key", "client.pem", "scheduler.key", "scheduler.pem", "worker.key",
        "worker.pem",
      ]
      let real = "\(buildFolder.path):/usr/bin:/bin"
      let run = try make(real)
      #expect(run.exitCode == 0, "\(run.errors)")
      #expect(try names() == whole)
      // A volume of an older version loses the key too; what is there stays.
      let before = try Data(contentsOf: volume.appendingPathComponent("client.pem"))
      try Data("key".utf8).write(to: volume.appendingPathComponent("authority.key"))
      #expect(try make(real).exitCode == 0)
      #expect(try names() == whole)
      #expect(try Data(contentsOf: volume.appendingPathComponent("client.pem")) == before)
    }
  }

  @Test func theSmallImageNamesTheOneWithJupyterLab() throws {
    try withTemporaryFolder { folder in
      let tools = try path(folder).replacing(":/usr/local/bin", with: "")
      let run = try runProgram(
        "/bin/sh", [script, "notebook"],
        environment: ["PATH": tools, "APUS_HEALTH": folder.appendingPathComponent("health").path])
      #expect(run.exitCode == 2 && run.errors.contains("apus-notebook"), "\(run)")
    }
  }

  /// Only the programs of the package itself go into the image, built with the versions that Apus was built with unless
  /// the package has its own. The lines are those of `swift package`.
  @Test func buildPackageCopiesThePackagesOwnPrograms() throws {
    try withTemporaryFolder { folder in
      let built = folder.appendingPathComponent("built")
      try FileManager.default.createDirectory(at: built, withIntermediateDirectories: false)
      for name in ["Mine", "apus"] { try Data(name.utf8).write(to: built.appendingPathComponent(name)) }
      let swift = """
        case "$*" in
          *--show-bin-path*) echo '\(built.path)' ;;
          *show-executables*) cat '\(folder.path)/executables' ;;
          *) echo "$APUS_PATH $*" ;;
        esac
        """
      let programs = folder.appendingPathComponent("programs").path
      let package = folder.appendingPathComponent("package")
      try FileManager.default.createDirectory(at: package, withIntermediateDirectories: false)
      try Data("those of Apus".utf8).write(to: folder.appendingPathComponent("Package.resolved"))
      func versions() throws -> String {
        try String(contentsOf: package.appendingPathComponent("Package.resolved"), encoding: .utf8)
      }
      let environment = [
        "PATH": try path(folder, ["swift": swift]), "APUS_PROGRAMS": programs, "APUS_PATH": folder.path,
      ]
      let build = repositoryRoot.appendingPathComponent("container/build-package").path
      try Data("Mine\napus (apus)\n".utf8).write(to: folder.appendingPathComponent("executables"))
      let run = try runProgram(build, ["--product", "Mine"], in: package, environment: environment)
      #expect(run.exitCode == 0 && run.output.hasPrefix("\(folder.path) build "), "\(run)")
      #expect(run.output.contains("--scratch-path \(folder.path)/.build"))
      #expect(try versions() == "those of Apus")
      #expect(run.output.contains("--product Mine"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: programs) == ["Mine"])
      try Data("apus (apus)\n".utf8).write(to: folder.appendingPathComponent("executables"))
      try Data("its own".utf8).write(to: package.appendingPathComponent("Package.resolved"))
      let none = try runProgram(build, in: package, environment: environment)
      #expect(none.exitCode == 1 && none.errors.contains("no executable product"))
      #expect(try versions() == "its own")
    }
  }
}
