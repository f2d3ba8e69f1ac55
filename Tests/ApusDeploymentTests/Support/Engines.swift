import ApusTestSupport
import Foundation

/// What is at hand on this machine.
enum Engines {
  private static func succeeds(_ program: String, _ arguments: [String]) -> Bool {
    (try? runProgram(program, arguments))?.exitCode == 0
  }

  /// A Docker engine that this user may use, with Compose.
  static let hasDocker = succeeds("docker", ["compose", "version"]) && succeeds("docker", ["info"])

  /// The images of this version that the engine has.
  static let images: [String] = {
    guard hasDocker, let version = Versions.all["APUS_VERSION"] else { return [] }
    return ["apus:\(version)", "apus-notebook:\(version)"].filter {
      succeeds("docker", ["image", "inspect", $0])
    }
  }()

  /// The one of schedulers, workers and clients.
  static let image = images.first { $0.hasPrefix("apus:") }

  /// Whether containers on the network of the engine's host see what listens on this one: the same kernel, and the same
  /// network. An engine in a virtual machine has neither.
  static let sharesItsNetwork: Bool = {
    let place = ["sh", "-c", "cat /proc/sys/kernel/random/boot_id; readlink /proc/self/ns/net"]
    guard let image, let here = try? runProgram(place[0], Array(place.dropFirst())),
      let there = try? runProgram("docker", ["run", "--rm", "--network", "host", image] + place)
    else { return false }
    return there.exitCode == 0 && there.output == here.output
  }()

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
