import ApusTestSupport
import Foundation

/// What is at hand on this machine.
enum Engines {
  private static func succeeds(_ program: String, _ arguments: [String]) -> Bool {
    (try? runProgram(program, arguments))?.exitCode == 0
  }

  /// A Docker engine that this user may use, with Compose.
  static let hasDocker = succeeds("docker", ["compose", "version"]) && succeeds("docker", ["info"])

  /// `kubectl`, which builds kustomizations without any cluster.
  static let hasKubectl = succeeds("kubectl", ["kustomize", "--help"])

  /// What clusters are spoken to with: `kubectl`, or a program of the environment that does the same, such as one
  /// that fits manifests to an old cluster first.
  static let kubectl = ProcessInfo.processInfo.environment["APUS_TEST_KUBECTL"] ?? "kubectl"

  /// A cluster that is there for trying out, and has no namespace `apus` that somebody uses.
  static let hasKubernetes: Bool = {
    guard let run = try? runProgram(kubectl, ["config", "current-context"]), run.exitCode == 0 else {
      return false
    }
    let context = run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    let isForTrials =
      ["kind-", "k3d-", "minikube", "docker-desktop", "rancher-desktop", "orbstack"]
      .contains { context.hasPrefix($0) }
    let isNamed = ProcessInfo.processInfo.environment["APUS_TEST_CONTEXT"] == context
    return (isForTrials || isNamed) && succeeds(kubectl, ["get", "nodes"])
      && !succeeds(kubectl, ["get", "namespace", "apus"])
  }()
}
