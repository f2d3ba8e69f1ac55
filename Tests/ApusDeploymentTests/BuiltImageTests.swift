import ApusTestSupport
import Foundation
import Testing

/// The image as it was built, where an engine has it; `ImageTests` reads the recipe everywhere.
@Suite(
  .blocking, .serialized,
  .enabled(
    if: Engines.image != nil, "no Docker engine here has the image; docker compose build apus makes it"),
  .timeLimit(.minutes(10)))
struct BuiltImageTests {
  private let image: String

  init() throws { image = try #require(Engines.image) }

  /// Runs a shell's line as the image's programs run: as its user, on a root folder that nobody writes to.
  private func inside(_ line: String) throws -> ProgramResult {
    try runProgram(
      "docker",
      ["run", "--rm", "--read-only", "--tmpfs", "/tmp", "--network", "none", image, "sh", "-c", line])
  }

  @Test func nothingInItCompiles() throws {
    let tools = "ar as c++ cc clang g++ gcc jupyter ld make swift swift-frontend swiftc"
    let found = try inside("for tool in \(tools); do command -v $tool; done; ls /usr/include/stdio.h")
    #expect(found.output == "", "\(found)")
    let kept = try inside(
      """
      for tool in apus dask python tini; do command -v $tool || exit; done
      python -c 'import distributed, fsspec, s3fs, gcsfs'
      """)
    #expect(kept.exitCode == 0, "\(kept)")
  }

  @Test func itsProgramsAreNobodySpecialBelowAnInit() throws {
    let user = try inside("id -u; cat /proc/1/comm; touch /tmp/written && ! touch /studies/written")
    #expect(user.exitCode == 0 && user.output == "10001\ntini\n", "\(user)")
    let about = try runProgram("docker", ["image", "inspect", "--format", "{{json .Config}}", image])
    let config = try #require(try Manifest.read(text: about.output, source: image).first)
    #expect(config["User"].string == "10001:10001")
    #expect(config["Healthcheck"]["Test"].strings == ["CMD", "apus-container", "ready"])
    let version = try #require(Versions.all["APUS_VERSION"])
    #expect(config["Labels"]["org.opencontainers.image.version"].string == version)
  }

  /// What was in a layer once can be taken out of it, whatever later layers remove.
  @Test(arguments: Engines.images) func noLayerHasAKey(image: String) throws {
    let script = repositoryRoot.appendingPathComponent("Tests/ApusDeploymentTests/Support/layers.py").path
    let run = try runProgram("/bin/sh", ["-c", "docker save '\(image)' | python3 '\(script)'"])
    let lines = run.output.split(separator: "\n").map(String.init)
    #expect(run.exitCode == 0 && lines.contains { $0.hasSuffix("usr/local/bin/apus") }, "\(run.errors)")
    #expect(lines.filter { $0.hasPrefix("key ") } == [])
    let wanted = lines.filter { $0.hasSuffix(".key") || $0.contains("certificates/files") }
    #expect(wanted == [])
    let history = try runProgram("docker", ["history", "--no-trunc", "--format", "{{.CreatedBy}}", image])
    for word in ["password", "secret", "token"] {
      #expect(history.exitCode == 0 && !history.output.lowercased().contains(word), "\(history)")
    }
  }

  /// With the Python that it has, and nothing else: the stores are real, the files those of this machine.
  @Test(
    .enabled(if: Engines.sharesItsNetwork, "the engine's containers do not see this machine's servers"),
    arguments: [RemoteStore.Kind.web, .s3, .gs])
  func itReadsFromStores(kind: RemoteStore.Kind) throws {
    try withTemporaryFolder { folder in
      let name = "iris.csv"
      try FileManager.default.copyItem(
        at: repositoryRoot.appendingPathComponent("Datasets/\(name)"), to: folder.appendingPathComponent(name)
      )
      let store = try RemoteStore(kind, folder: folder)
      let options = [
        "--target", "species", "--estimator", "decision-tree-classifier", "--cv", "3", "--json", "--quiet",
      ]
      let variables = store.settings.flatMap { ["--env", "\($0.key)=\($0.value)"] }
      let there = try runProgram(
        "docker",
        ["run", "--rm", "--read-only", "--tmpfs", "/tmp", "--network", "host"] + variables
          + [image, "apus", "evaluate", "\(store.address)/\(name)"] + options)
      #expect(there.exitCode == 0, "\(there.errors)")
      let here = try runProgram(
        buildFolder.appendingPathComponent("apus").path,
        ["evaluate", folder.appendingPathComponent(name).path] + options)
      func scores(_ result: ProgramResult) throws -> [[Double]] {
        let json = try #require(try Manifest.read(text: result.output, source: name).first)
        return json["scores"].entries.map { $0.value["test"].list.compactMap(\.double) }
      }
      let expected = try scores(here)
      #expect(expected.first?.count == 3)
      #expect(try scores(there) == expected)
    }
  }
}
