import ApusTestSupport
import Foundation
import Testing

/// `Scripts/release` with programs in the places of Docker, Trivy and Skopeo that write down how they are called.
@Suite(.blocking) struct ReleaseTests {
  /// Calls `body` with a function that runs the script in a repository of its own; it gives the result and the calls.
  private func withRepository(
    missing: String? = nil,
    _ body: (_ folder: URL, _ release: ([String], [String: String]) throws -> (ProgramResult, [String]))
      throws
      -> Void
  ) throws {
    try withTemporaryFolder { folder in
      let repository = folder.appendingPathComponent("repository")
      for file in ["Scripts/release", "container/versions.env"] {
        let copy = repository.appendingPathComponent(file)
        try FileManager.default.createDirectory(
          at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: repositoryRoot.appendingPathComponent(file), to: copy)
      }
      try Data(".build/\n".utf8).write(to: repository.appendingPathComponent(".gitignore"))
      for arguments in [
        ["init", "--quiet"], ["add", "--all"],
        ["-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "--quiet", "-m", "All"],
      ] {
        try #require(try runProgram("git", arguments, in: repository).exitCode == 0)
      }
      let programs = folder.appendingPathComponent("programs")
      try FileManager.default.createDirectory(at: programs, withIntermediateDirectories: false)
      for (name, text) in Self.stubs where name != missing {
        let file = programs.appendingPathComponent(name)
        try Data("#!/bin/bash\necho \"\(name) $*\" >>\"$CALLS\"\n\(text)\n".utf8).write(to: file)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
      }
      // Nothing else of the machine: Docker may be there.
      for name in [
        "bash", "basename", "cat", "cp", "cut", "dirname", "git", "mkdir", "mktemp", "rm", "sed", "sha256sum",
      ] {
        let place = try #require(
          ["/usr/bin", "/bin", "/usr/local/bin"].map { "\($0)/\(name)" }
            .first(where: FileManager.default.isExecutableFile))
        try FileManager.default.createSymbolicLink(
          atPath: programs.appendingPathComponent(name).path, withDestinationPath: place)
      }
      let registry = folder.appendingPathComponent("registry")
      try FileManager.default.createDirectory(at: registry, withIntermediateDirectories: false)
      let calls = folder.appendingPathComponent("calls")
      try body(folder) { arguments, environment in
        try Data().write(to: calls)
        let run = try runProgram(
          repository.appendingPathComponent("Scripts/release").path, arguments, in: folder,
          environment: ["PATH": programs.path, "CALLS": calls.path, "REGISTRY": registry.path]
            .merging(environment) { $1 })
        let lines = try String(contentsOf: calls, encoding: .utf8).split(separator: "\n").map(String.init)
        return (run, lines)
      }
    }
  }

  /// An image is a folder with a file for each platform and one that lists their digests; in the registry it is that
  /// list.
  private static let stubs = [
    "docker": #"""
    case "$*" in
      "buildx version" | "info") [ "${ENGINE:-}" != "no $*" ] ;;
      "buildx imagetools inspect "*) echo "sha256:$(echo "$4" | sha256sum | cut -d' ' -f1)" ;;
      "buildx inspect --bootstrap "*) echo "Platforms: ${ABLE-linux/amd64*, linux/386, linux/arm64}" ;;
      "buildx inspect "*) exit 1 ;;
      "buildx build "*)
        for word; do
          case $word in type=oci,*) folder=${word##*dest=} ;; esac
        done
        mkdir "$folder"
        for platform in amd64 arm64; do
          echo "$platform of $*" >"$folder/$platform"
          echo "sha256:$(sha256sum <"$folder/$platform" | cut -d' ' -f1)"
        done >"$folder/index"
        ;;
    esac
    """#,
    "skopeo": #"""
    case "$*" in
      "inspect --raw docker://"*) cat "$REGISTRY/$(basename "$3")" ;;
      "inspect --raw oci:"*) cat "${3#oci:}/index" ;;
      "copy --all --preserve-digests oci:"*) cp "${4#oci:}/index" "$REGISTRY/$(basename "$5")" ;;
      *" --override-arch "*" copy "*) mkdir "${9#oci:}" && cp "${8#oci:}/$4" "${9#oci:}/index" ;;
      *) exit 9 ;;
    esac
    """#,
    "trivy": #"case "$*" in *"${UNFIT:-nothing}"*) exit 1 ;; esac"#,
  ]

  @Test func whatIsScannedIsPushed() throws {
    try withRepository { folder, release in
      let (run, calls) = try release(["registry.example.org/team/"], [:])
      #expect(run.exitCode == 0, "\(run.errors)")
      let builds = calls.filter { $0.hasPrefix("docker buildx build ") }
      #expect(builds.count == 2)
      for build in builds {
        #expect(build.contains(" --platform linux/amd64,linux/arm64 "), "\(build)")
        for (name, value) in Versions.all where name.hasSuffix("_IMAGE") {
          #expect(build.contains("--build-arg \(name)=\(value)@sha256:"), "\(build)")
        }
        #expect(build.contains(" --sbom=true --provenance=mode=max "), "\(build)")
      }
      // Every part of both images is scanned before anything is pushed.
      let scans = calls.indices.filter { calls[$0].hasPrefix("trivy image --input ") }
      let pushes = calls.indices.filter { calls[$0].hasPrefix("skopeo copy --all ") }
      #expect(scans.count == 4 && pushes.count == 2)
      #expect(try #require(scans.last) < (try #require(pushes.first)))
      for index in scans { #expect(calls[index].contains(" --exit-code 1"), "\(calls[index])") }

      let version = try #require(Versions.all["APUS_VERSION"])
      var expected = ""
      for image in ["apus", "apus-notebook"] {
        let pushed = folder.appendingPathComponent("registry/\(image):\(version)")
        let digest = try runProgram("sha256sum", [pushed.path]).output.prefix(64)
        expected += "registry.example.org/team/\(image)@sha256:\(digest)\n"
      }
      #expect(run.output == expected, "the output is what a program that signs reads")
      let left = try FileManager.default.contentsOfDirectory(
        atPath: folder.appendingPathComponent("repository/.build").path)
      #expect(left.isEmpty, "\(left)")

      let (again, calledAgain) = try release(["registry.example.org/team"], [:])
      #expect(again.exitCode == 3 && again.errors.contains("is there already"), "\(again)")
      #expect(!calledAgain.contains { $0.contains(" build ") || $0.contains(" copy ") })
    }
  }

  @Test func whatIsNotFitIsNotPushed() throws {
    try withRepository { _, release in
      let (run, calls) = try release(["registry.example.org/team"], ["UNFIT": "apus-notebook-arm64"])
      #expect(run.exitCode == 1 && run.errors.contains("apus-notebook for arm64 is not fit"), "\(run)")
      #expect(!calls.contains { $0.hasPrefix("skopeo copy --all ") } && run.output == "")
    }
  }

  @Test func withoutARegistryItIsARehearsal() throws {
    try withRepository { _, release in
      let (run, calls) = try release([], [:])
      #expect(run.exitCode == 0 && run.output == "" && run.errors.contains("nothing was pushed"), "\(run)")
      #expect(calls.filter { $0.hasPrefix("trivy ") }.count == 4)
      #expect(!calls.contains { $0.contains("docker://") })
    }
  }

  @Test(arguments: ["docker", "trivy", "skopeo"])
  func whatIsMissingIsNamed(program: String) throws {
    try withRepository(missing: program) { _, release in
      let (run, calls) = try release([], [:])
      #expect(run.exitCode == 3 && run.errors.hasPrefix("\(program)"), "\(run)")
      #expect(run.errors.contains("is not on the PATH"), "\(run.errors)")
      #expect(!calls.contains { $0.contains(" build ") })
    }
  }

  @Test(
    arguments: [
      (["ENGINE": "no buildx version"], "docker has no buildx"), (["ENGINE": "no info"], "no Docker engine"),
      (["ABLE": "linux/amd64*"], "does not build for linux/arm64"),
    ])
  func whatDoesNotWorkIsSaid(environment: [String: String], message: String) throws {
    try withRepository { _, release in
      let (run, calls) = try release([], environment)
      #expect(run.exitCode == 3 && run.errors.contains(message), "\(run)")
      #expect(!calls.contains { $0.contains(" build ") })
    }
  }

  @Test func onlyWhatIsCommittedIsReleased() throws {
    try withRepository { folder, release in
      try Data("more".utf8).write(to: folder.appendingPathComponent("repository/more"))
      let (run, _) = try release([], [:])
      #expect(run.exitCode == 3 && run.errors.contains("what is committed"), "\(run)")
      let (usage, _) = try release(["--help"], [:])
      #expect(usage.exitCode == 2 && usage.errors.hasPrefix("usage:"), "\(usage)")
    }
  }
}
