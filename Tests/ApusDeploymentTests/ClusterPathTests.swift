import ApusTestSupport
import Foundation
import Testing

/// What is at hand on this machine.
enum Engines {
  private static func succeeds(_ program: String, _ arguments: [String]) -> Bool {
    (try? runProgram(program, arguments))?.exitCode == 0
  }

  /// A Docker engine that this user may use, with Compose.
  static let hasDocker = succeeds("docker", ["compose", "version"]) && succeeds("docker", ["info"])

  /// `kubectl`, which builds kustomizations without any cluster.
  static let hasKubectl = succeeds("kubectl", ["kustomize", "--help"])

  /// A cluster that is there for trying out, and has no namespace `apus` that somebody uses.
  static let hasKubernetes: Bool = {
    guard let run = try? runProgram("kubectl", ["config", "current-context"]), run.exitCode == 0 else {
      return false
    }
    let context = run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    let isForTrials =
      ["kind-", "k3d-", "minikube", "docker-desktop", "rancher-desktop", "orbstack"]
      .contains { context.hasPrefix($0) }
    let isNamed = ProcessInfo.processInfo.environment["APUS_TEST_CONTEXT"] == context
    return (isForTrials || isNamed) && succeeds("kubectl", ["get", "nodes"])
      && !succeeds("kubectl", ["get", "namespace", "apus"])
  }()
}

/// The paths of the guides, from nothing to a table and back to nothing, where there is something to run them on.
@Suite(.blocking, .serialized) struct ClusterPathTests {
  @Test(
    .enabled(if: Engines.hasDocker, "no Docker engine with Compose is at hand"), .timeLimit(.minutes(45)))
  func composeGivesTheTableOfThisMachineAlthoughAWorkerIsKilled() throws {
    let compose = ["compose", "--project-name", "apus-test"]
    @Sendable func docker(_ arguments: [String]) throws -> ProgramResult {
      try runProgram(
        "docker", arguments, in: repositoryRoot,
        environment: ["APUS_DASHBOARD_PORT": "0", "APUS_NOTEBOOK_PORT": "0"])
    }
    defer { _ = try? docker(compose + ["down", "--volumes", "--timeout", "5"]) }
    let up = try docker(compose + ["up", "--wait"])
    #expect(up.exitCode == 0, "\(up.errors)")

    let client = Background {
      try docker(
        compose + ["run", "--rm", "apus"] + TestedSearch.arguments
          + ["--backend", "dask", "--results", "/studies/results.csv"])
    }
    Thread.sleep(forTimeInterval: 6)
    let killed = try docker(compose + ["kill", "--signal", "KILL", "worker"])
    #expect(killed.exitCode == 0, "\(killed.errors)")
    let scaled = try docker(compose + ["up", "--wait", "--no-recreate", "--scale", "worker=3"])
    #expect(scaled.exitCode == 0, "\(scaled.errors)")
    let search = try #require(try client.result())
    #expect(search.exitCode == 0, "\(search.errors)")

    let table = try docker(compose + ["run", "--rm", "--entrypoint", "cat", "apus", "/studies/results.csv"])
    try compare(table.output)
    let notebook = try docker(compose + ["exec", "--no-TTY", "notebook"] + Self.executeNotebook)
    try check(notebook)

    let down = try docker(compose + ["down", "--volumes"])
    #expect(down.exitCode == 0, "\(down.errors)")
    let left = try docker(compose + ["ps", "--all", "--quiet"])
    #expect(left.output.trimmingCharacters(in: .whitespacesAndNewlines) == "")
  }

  @Test(
    .enabled(
      if: Engines.hasKubernetes,
      "the kubectl context is of no cluster for trials, or its namespace apus is in use"),
    .timeLimit(.minutes(15)))
  func kubernetesGivesTheTableOfThisMachineAlthoughPodsAreEvicted() throws {
    try withCertificates { copy in
      let overlay = copy.appendingPathComponent("overlays/local").path
      func kubectl(_ arguments: String...) throws -> ProgramResult {
        try runProgram("kubectl", arguments, in: repositoryRoot)
      }
      defer { _ = try? kubectl("delete", "-k", overlay, "--ignore-not-found") }
      let apply = try kubectl("apply", "-k", overlay)
      #expect(apply.exitCode == 0, "\(apply.errors)")
      let ready = try kubectl(
        "-n", "apus", "wait", "--for=condition=Available", "deployment", "--all", "--timeout=300s")
      #expect(ready.exitCode == 0, "\(ready.output)\(ready.errors)")

      let client = Background {
        try runProgram(
          "kubectl",
          ["-n", "apus", "exec", "deployment/notebook", "--", "apus"] + TestedSearch.arguments
            + ["--backend", "dask", "--results", "/studies/results.csv"])
      }
      Thread.sleep(forTimeInterval: 6)
      let evicted = try kubectl(
        "-n", "apus", "delete", "pod", "-l", "app.kubernetes.io/component in (worker,scheduler)",
        "--wait=false")
      #expect(evicted.exitCode == 0, "\(evicted.errors)")
      let search = try #require(try client.result())
      #expect(search.exitCode == 0, "\(search.errors)")
      let table = try kubectl(
        "-n", "apus", "exec", "deployment/notebook", "--", "cat", "/studies/results.csv")
      try compare(table.output)
      let notebook = try runProgram(
        "kubectl", ["-n", "apus", "exec", "deployment/notebook", "--"] + Self.executeNotebook)
      try check(notebook)

      let delete = try kubectl("delete", "-k", overlay)
      #expect(delete.exitCode == 0, "\(delete.errors)")
      for kind in ["namespace/apus", "priorityclass/apus-worker"] {
        #expect(try kubectl("get", kind).exitCode != 0, "\(kind) is left")
      }
    }
  }

  @Test(
    .enabled(if: Engines.hasKubectl, "kubectl is not installed"),
    arguments: [
      "overlays/local", "overlays/gke-spot", "overlays/eks-spot", "overlays/aks-spot", "overlays/autoscaled",
      "overlays/ingress", "search",
    ])
  func kustomizationsAreWhole(folder: String) throws {
    try withCertificates { copy in
      let run = try runProgram("kubectl", ["kustomize", copy.appendingPathComponent(folder).path])
      #expect(run.exitCode == 0, "\(run.errors)")
      let objects = try Manifest.read(text: run.output, source: folder)
      for object in objects where !["Namespace", "PriorityClass"].contains(object.kind) {
        #expect(object["metadata"]["namespace"].string == "apus", "\(object)")
      }
      let secrets = objects.filter { $0.kind == "Secret" }.map(\.name)
      #expect(secrets.count == 4)
      let version = try #require(Versions.all["APUS_VERSION"])
      for workload in objects where workload.pod != nil {
        let image = workload.name == "notebook" ? "apus-notebook" : "apus"
        for container in workload.containers { #expect(container["image"].string == "\(image):\(version)") }
        for volume in workload.pod?["spec"]["volumes"].list ?? [] {
          guard let name = volume["secret"]["secretName"].string else { continue }
          #expect(secrets.contains(name), "\(workload) \(name)")
        }
      }
      let worker = try #require(objects.first { $0.kind == "Deployment" && $0.name == "worker" })
      #expect(worker["spec"]["replicas"].exists == (folder != "overlays/autoscaled"))
      // Patches of the clouds keep what the base says.
      #expect(worker.pod?["spec"]["tolerations"].list.count == (folder.hasSuffix("-spot") ? 3 : 2))
      #expect(worker.containers[0]["resources"]["limits"]["cpu"].exists)
    }
  }

  /// A copy of `kubernetes/` with certificates of its own, made by the script that users run.
  private func withCertificates(_ body: (URL) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let copy = folder.appendingPathComponent("kubernetes")
      try FileManager.default.copyItem(
        at: repositoryRoot.appendingPathComponent("kubernetes"), to: copy)
      try? FileManager.default.removeItem(at: copy.appendingPathComponent("certificates/files"))
      let path = "\(buildFolder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
      let make = try runProgram(
        copy.appendingPathComponent("certificates/make").path, environment: ["PATH": path])
      try #require(make.exitCode == 0, "\(make.errors)")
      let again = try runProgram(
        copy.appendingPathComponent("certificates/make").path, environment: ["PATH": path])
      #expect(again.exitCode == 3, "certificates in use must not be overwritten")
      try body(copy)
    }
  }

  /// Runs the example that the notebook's image brings, on the cluster around it.
  private static let executeNotebook = [
    "jupyter", "nbconvert", "--to", "notebook", "--execute", "--stdout",
    "/notebooks/tuning-on-a-cluster.ipynb",
  ]

  private func check(_ notebook: ProgramResult) throws {
    #expect(notebook.exitCode == 0, "\(notebook.errors)")
    for text in ["connected to Dask", "candidates 30 fits 90", "90 of 90 fits", "<svg"] {
      #expect(notebook.output.contains(text), "\(text) is not in the notebook")
    }
  }

  private func compare(_ table: String) throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("results.csv")
      let run = try runProgram(
        buildFolder.appendingPathComponent("apus").path, TestedSearch.arguments + ["--results", file.path])
      #expect(run.exitCode == 0, "\(run.errors)")
      let expected = ResultsTable(try String(contentsOf: file, encoding: .utf8))
      #expect(expected.rows.count == 101)
      #expect(ResultsTable(table) == expected)
    }
  }
}
