import ApusTestSupport
import Foundation
import Testing

/// The paths of the guides, from nothing to a table and back to nothing, where there is something to run them on.
@Suite(.blocking, .serialized) struct ClusterPathTests {
  @Test(
    .enabled(if: Engines.hasDocker, "no Docker engine with Compose is at hand"), .timeLimit(.minutes(45)))
  func composeGivesTheTableOfThisMachineAlthoughAWorkerIsKilled() throws {
    let compose = ["compose", "--project-name", "apus-test"]
    func docker(_ arguments: [String]) throws -> ProgramResult {
      try runProgram("docker", arguments, in: repositoryRoot, environment: Self.settings)
    }
    defer { _ = try? docker(compose + ["down", "--volumes", "--timeout", "5"]) }
    let up = try docker(compose + ["up", "--wait"])
    #expect(up.exitCode == 0, "\(up.errors)")

    let client = try RunningProgram(
      "docker",
      compose + ["run", "--rm", "apus"] + TestedSearch.arguments(steps: 20)
        + ["--backend", "dask", "--results", "/studies/results.csv"], environment: Self.settings)
    try #require(client.waitForErrors(/[1-9][0-9]* of 2000 fits/), "\(client.errors)")
    let killed = try docker(compose + ["kill", "--signal", "KILL", "worker"])
    #expect(killed.exitCode == 0, "\(killed.errors)")
    #expect(client.isRunning, "the search was over before a worker was killed")
    let scaled = try docker(compose + ["up", "--wait", "--no-recreate", "--scale", "worker=4"])
    #expect(scaled.exitCode == 0, "\(scaled.errors)")
    #expect(client.waitForErrors(/4 workers, 4 slots/), "\(client.errors)")
    #expect(client.wait() == 0, "\(client.errors)")

    let table = try docker(compose + ["run", "--rm", "--entrypoint", "cat", "apus", "/studies/results.csv"])
    try compare(table.output, steps: 20)
    let notebook = try docker(compose + ["exec", "--no-TTY", "notebook"] + Self.executeNotebook)
    try check(notebook)
    try loseTheScheduler(docker, compose)
    let published = try docker(compose + ["port", "notebook", "8888"])
    try BrowsedNotebook.check(
      at: "http://" + published.output.trimmingCharacters(in: .whitespacesAndNewlines),
      token: try #require(Self.settings["JUPYTER_TOKEN"]))

    let down = try docker(compose + ["down", "--volumes"])
    #expect(down.exitCode == 0, "\(down.errors)")
    let left = try docker(compose + ["ps", "--all", "--quiet"])
    #expect(left.output.trimmingCharacters(in: .whitespacesAndNewlines) == "")
    let volumes = try docker(["volume", "ls", "--quiet", "--filter", "name=apus-test_"])
    #expect(volumes.output == "")

    // Schedulers and workers carry no JupyterLab, no compiler and no headers.
    let version = try #require(Versions.all["APUS_VERSION"])
    let size = try docker(["image", "inspect", "--format", "{{.Size}}", "apus:\(version)"])
    let bytes = try #require(Int(size.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    #expect(bytes < 600_000_000, "the image has \(bytes / 1_000_000) MB")
  }

  /// Workers find the next scheduler by themselves, in the containers that they have.
  private func loseTheScheduler(_ docker: ([String]) throws -> ProgramResult, _ compose: [String]) throws {
    for _ in 0..<2 {
      let killed = try docker(compose + ["kill", "--signal", "KILL", "scheduler"])
      #expect(killed.exitCode == 0, "\(killed.errors)")
      let up = try docker(compose + ["up", "--wait", "--no-recreate", "--scale", "worker=4"])
      #expect(up.exitCode == 0, "\(up.errors)")
      let search = try docker(
        compose + ["run", "--rm", "apus"] + TestedSearch.arguments(steps: 3) + ["--backend", "dask"])
      #expect(search.exitCode == 0, "\(search.errors)")
    }
    let workers = try docker(compose + ["ps", "--quiet", "worker"]).output.split(separator: "\n").map(
      String.init)
    #expect(workers.count == 4)
    let restarts = try docker(["inspect", "--format", "{{.RestartCount}}"] + workers)
    #expect(restarts.output == String(repeating: "0\n", count: 4), "\(restarts)")
  }

  /// Any free ports, and a token that the browser knows.
  private static let settings = [
    "APUS_DASHBOARD_PORT": "0", "APUS_NOTEBOOK_PORT": "0", "JUPYTER_TOKEN": UUID().uuidString,
  ]

  @Test(
    .enabled(
      if: Engines.hasDocker && ProcessInfo.processInfo.environment["APUS_TEST_BUILDS"] == "1",
      "building images takes some twenty minutes: APUS_TEST_BUILDS=1, with a Docker engine, does"),
    .timeLimit(.minutes(60)))
  func aPackageOfOnesOwnExtendsTheImageAndRunsOnItsCluster() throws {
    let version = try #require(Versions.all["APUS_VERSION"])
    let example = "apus-test-custom-estimator"
    let compose = ["compose", "--project-name", "apus-test"]
    func docker(_ arguments: [String]) throws -> ProgramResult {
      try runProgram(
        "docker", arguments, in: repositoryRoot,
        environment: Self.settings.merging(["DOCKER_BUILDKIT": "1"]) { $1 })
    }
    defer {
      _ = try? docker(compose + ["down", "--volumes", "--timeout", "5"])
      _ = try? docker(["image", "rm", example])
    }
    for arguments in [
      ["build", "--target", "build", "--tag", "apus:\(version)-build", "."],
      ["build", "--tag", "apus:\(version)", "."], ["build", "--tag", example, "Examples/CustomEstimator"],
    ] {
      let build = try docker(arguments)
      try #require(build.exitCode == 0, "\(build.errors.suffix(3000))")
    }
    let run = try docker(["run", "--rm", "--read-only", "--tmpfs", "/tmp", example, "CustomEstimator"])
    #expect(run.exitCode == 0, "\(run)")
    #expect(run.output.contains("the same bits on threads and on processes: true"), "\(run)")

    // Workers of the plain image run the estimator, which they have never heard of.
    let up = try docker(compose + ["up", "--wait", "worker"])
    try #require(up.exitCode == 0, "\(up.errors)")
    let onCluster = try docker([
      "run", "--rm", "--read-only", "--tmpfs", "/tmp", "--network", "apus-test_default",
      "--volume", "apus-test_certificates:/certificates:ro", "--env", "APUS_CERTIFICATES=/certificates",
      example, "CustomEstimator", "tls://scheduler:8786",
    ])
    #expect(onCluster.exitCode == 0, "\(onCluster)")
    #expect(onCluster.output.contains("the same bits on threads and on Dask: true"), "\(onCluster)")
  }

  @Test(
    .enabled(
      if: Engines.hasKubernetes,
      "the kubectl context is of no cluster for trials, or its namespace apus is in use"),
    .timeLimit(.minutes(30)))
  func kubernetesGivesTheTableOfThisMachineAlthoughPodsAreEvicted() throws {
    try withKubernetesFolder { copy in
      // The cluster with a search as a Job, long enough to be disturbed.
      let job = copy.appendingPathComponent("components/search/job.yaml")
      let manifest = try String(contentsOf: job, encoding: .utf8)
      let longer = manifest.replacing("1e2,10)", with: "1e2,20)").replacing("1e-1,10)", with: "1e-1,20)")
      #expect(longer != manifest)
      try Data(longer.utf8).write(to: job)
      let overlay = copy.appendingPathComponent("search").path
      func kubectl(_ arguments: String...) throws -> ProgramResult {
        try runProgram(Engines.kubectl, arguments, in: repositoryRoot)
      }
      defer { _ = try? kubectl("delete", "-k", overlay, "--ignore-not-found") }
      let apply = try kubectl("apply", "-k", overlay)
      #expect(apply.exitCode == 0, "\(apply.errors)")
      let ready = try kubectl(
        "-n", "apus", "wait", "--for=condition=Available", "deployment", "--all", "--timeout=300s")
      #expect(ready.exitCode == 0, "\(ready.output)\(ready.errors)")
      try followTheJob(kubectl)

      let scale = try kubectl("-n", "apus", "scale", "deployment/worker", "--replicas=1")
      #expect(scale.exitCode == 0, "\(scale.errors)")
      let client = try RunningProgram(
        Engines.kubectl,
        ["-n", "apus", "exec", "deployment/notebook", "--", "apus"] + TestedSearch.arguments(steps: 20)
          + ["--backend", "dask", "--results", "/studies/results.csv"])
      try #require(client.waitForErrors(/[1-9][0-9]* of 2000 fits/), "\(client.errors)")
      let more = try kubectl("-n", "apus", "scale", "deployment/worker", "--replicas=4")
      #expect(more.exitCode == 0, "\(more.errors)")
      #expect(client.waitForErrors(/4 workers, 4 slots/), "\(client.errors)")
      let evicted = try kubectl(
        "-n", "apus", "delete", "pod", "-l", "app.kubernetes.io/component in (worker,scheduler)",
        "--wait=false")
      #expect(evicted.exitCode == 0, "\(evicted.errors)")
      #expect(client.isRunning, "the search was over before pods were evicted")
      #expect(client.wait() == 0, "\(client.errors)")
      let table = try kubectl(
        "-n", "apus", "exec", "deployment/notebook", "--", "cat", "/studies/results.csv")
      try compare(table.output, steps: 20)
      let notebook = try runProgram(
        Engines.kubectl, ["-n", "apus", "exec", "deployment/notebook", "--"] + Self.executeNotebook)
      try check(notebook)

      let delete = try kubectl("delete", "-k", overlay)
      #expect(delete.exitCode == 0, "\(delete.errors)")
      for kind in ["namespace/apus", "priorityclass/apus-worker"] {
        #expect(try kubectl("get", kind).exitCode != 0, "\(kind) is left")
      }
    }
  }

  /// The Job's pod is taken away in the middle: the next one continues its study.
  private func followTheJob(_ kubectl: (String...) throws -> ProgramResult) throws {
    var logs = ""
    for _ in 0..<600 {
      logs = try kubectl("-n", "apus", "logs", "job/search").output
      if logs.contains(/[1-9][0-9]* of 2000 fits/) { break }
      Thread.sleep(forTimeInterval: 0.5)
    }
    try #require(logs.contains(/[1-9][0-9]* of 2000 fits/), "\(logs)")
    let pod = try kubectl(
      "-n", "apus", "get", "pod", "-l", "app.kubernetes.io/component=search", "-o", "name")
    let name = pod.output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(try kubectl("-n", "apus", "delete", name).exitCode == 0)
    let done = try kubectl("-n", "apus", "wait", "--for=condition=Complete", "job/search", "--timeout=300s")
    #expect(done.exitCode == 0, "\(done.output)\(done.errors)")
    let pods = try kubectl(
      "-n", "apus", "get", "pod", "-l", "app.kubernetes.io/component=search", "-o", "name")
    let next = try #require(pods.output.split(separator: "\n").map(String.init).first { $0 != name })
    let said = try kubectl("-n", "apus", "logs", next).output
    #expect(said.contains(/Continuing: [1-9][0-9]* of 2000 fits/), "\(said)")

    // The guide's pod has the study and the table.
    let guide = try text(of: "Sources/Apus/Apus.docc/DeployingClusters.md")
    let part = try #require(guide.firstMatch(of: /apply -f - <<END\n((?s:.*?))\nEND\n/))
    try withTemporaryFolder { folder in
      let manifest = folder.appendingPathComponent("results.yaml")
      try Data(part.1.utf8).write(to: manifest)
      #expect(try kubectl("apply", "-f", manifest.path).exitCode == 0)
    }
    let ready = try kubectl("-n", "apus", "wait", "--for=condition=Ready", "pod/results", "--timeout=120s")
    #expect(ready.exitCode == 0, "\(ready.errors)")
    let table = try kubectl("-n", "apus", "exec", "results", "--", "cat", "/studies/search.csv")
    try compare(table.output, steps: 20)
    #expect(try kubectl("-n", "apus", "delete", "pod/results", "--grace-period=0", "--force").exitCode == 0)
  }

  /// Runs the example that the notebook's image brings, on the cluster around it.
  private static let executeNotebook = [
    "jupyter", "nbconvert", "--to", "notebook", "--execute", "--stdout",
    "/notebooks/tuning-on-a-cluster.ipynb",
  ]

  private func check(_ notebook: ProgramResult) throws {
    #expect(notebook.exitCode == 0, "\(notebook.errors)")
    for text in ["connected to Dask", "candidates 60 fits 180", "180 of 180 fits", "<svg"] {
      #expect(notebook.output.contains(text), "\(text) is not in the notebook")
    }
  }

  private func compare(_ table: String, steps: Int) throws {
    try withTemporaryFolder { folder in
      let file = folder.appendingPathComponent("results.csv")
      let run = try runProgram(
        buildFolder.appendingPathComponent("apus").path,
        TestedSearch.arguments(steps: steps) + ["--results", file.path])
      #expect(run.exitCode == 0, "\(run.errors)")
      let expected = ResultsTable(try String(contentsOf: file, encoding: .utf8))
      #expect(expected.rows.count == steps * steps + 1)
      #expect(ResultsTable(table) == expected)
    }
  }
}
