import ApusTestSupport
import Foundation
import Testing

/// What kustomize makes of the overlays, and of those that the guides have users write.
@Suite(.blocking, .enabled(if: Engines.hasKubectl, "kubectl is not installed")) struct KustomizationTests {
  @Test(
    arguments: [
      "overlays/local", "overlays/gke-spot", "overlays/eks-spot", "overlays/aks-spot", "overlays/autoscaled",
      "overlays/ingress", "search", "mine gke-spot", "mine eks-spot", "mine aks-spot", "mine autoscaled",
    ])
  func kustomizationsAreWhole(_ name: String) throws {
    try withKubernetesFolder { copy in
      let isMine = name.hasPrefix("mine ")
      let folder = isMine ? "overlays/mine" : name
      // The overlay that the guide to clouds writes, with all components.
      let registry = "registry.example.org/team"
      if isMine {
        let text =
          try Self.overlay(of: "CloudClusters", on: String(name.dropFirst(5)))
          .replacing("REGISTRY", with: registry)
          + "components: [../../components/object-storage, ../../components/search]\n"
        try Self.write(text, to: copy)
      }
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
        let place = isMine ? "\(registry)/" : ""
        for container in workload.containers {
          #expect(container["image"].string == "\(place)\(image):\(version)", "\(workload)")
        }
        for volume in workload.pod?["spec"]["volumes"].list ?? [] {
          guard let name = volume["secret"]["secretName"].string else { continue }
          #expect(secrets.contains(name), "\(workload) \(name)")
        }
      }
      let worker = try #require(objects.first { $0.kind == "Deployment" && $0.name == "worker" })
      #expect(worker["spec"]["replicas"].exists == !name.hasSuffix("autoscaled"))
      // Patches of the clouds keep what the base says.
      #expect(worker.pod?["spec"]["tolerations"].list.count == (name.hasSuffix("-spot") ? 3 : 2))
      #expect(worker.containers[0]["resources"]["limits"]["cpu"].exists)
      let hasJob = isMine || name == "search"
      #expect(
        objects.filter { $0.kind == "Job" || $0.kind == "PersistentVolumeClaim" }.count == (hasJob ? 2 : 0))
      #expect(objects.contains { $0.kind == "NetworkPolicy" && $0.name == "object-storage" } == isMine)
    }
  }
  /// What two overlays would both say, as each has the base in it, components add to one.
  @Test(arguments: ["local", "gke-spot", "eks-spot", "aks-spot"])
  func componentsCombine(overlay: String) throws {
    try withKubernetesFolder { copy in
      try Self.write(try Self.overlay(of: "DeployingClusters", on: overlay), to: copy)
      func objects(_ name: String) throws -> [Manifest] {
        let run = try runProgram(
          "kubectl", ["kustomize", copy.appendingPathComponent("overlays/\(name)").path])
        #expect(run.exitCode == 0, "\(run.errors)")
        return try Manifest.read(text: run.output, source: name)
      }
      func names(_ objects: [Manifest]) -> Set<String> { Set(objects.map { "\($0.kind)/\($0.name)" }) }
      let alone = try objects(overlay)
      let mine = try objects("mine")
      #expect(
        names(mine).subtracting(names(alone)) == [
          "HorizontalPodAutoscaler/worker", "Ingress/notebook", "Service/notebook", "NetworkPolicy/notebook",
        ])
      #expect(names(mine).count == mine.count && names(mine).isSuperset(of: names(alone)))
      let autoscaler = try #require(mine.first { $0.kind == "HorizontalPodAutoscaler" })
      #expect(autoscaler["spec"]["maxReplicas"].int == 32)
      let ingress = try #require(mine.first { $0.kind == "Ingress" })
      #expect(ingress["spec"]["rules"].list[0]["host"].string == "apus.example.com")
      #expect(ingress["spec"]["tls"].list[0]["hosts"].strings == ["apus.example.com"])

      func deployment(_ name: String, _ objects: [Manifest]) throws -> Manifest {
        try #require(objects.first { $0.kind == "Deployment" && $0.name == name })
      }
      let worker = try deployment("worker", mine)
      #expect(!worker["spec"]["replicas"].exists, "the autoscaler's")
      // What the overlay says of its machines stays.
      let before = try deployment("worker", alone).pod?["spec"]
      #expect(worker.pod?["spec"]["nodeSelector"].labels == before?["nodeSelector"].labels)
      #expect(worker.pod?["spec"]["tolerations"].list.count == before?["tolerations"].list.count)
      let notebook = try deployment("notebook", mine)
      let container = notebook.containers[0]
      let address = container["env"].list.filter { $0["name"].string == "APUS_NOTEBOOK_ADDRESS" }
      #expect(address.map { $0["value"].string } == ["0.0.0.0"])
      #expect(container["env"].list.contains { $0["name"].string == "JUPYTER_TOKEN" })
      #expect(container["ports"].list.map { $0["containerPort"].int } == [8888])
      #expect(
        notebook.pod?["spec"]["affinity"].exists
          == (try deployment("notebook", alone)).pod?["spec"]["affinity"].exists)
    }
  }

  /// The page for Azure, whose object store workers cannot load from, has a share that all pods see.
  @Test func theShareOfAzuresPageIsMounted() throws {
    try withKubernetesFolder { copy in
      let page = try text(of: "Sources/Apus/Apus.docc/AzureClusters.md")
      let target = try #require(page.firstMatch(of: /`(\{kind: Deployment\|Job, [^`]+\})`/)).1
      try Self.write(
        """
        resources: [../aks-spot, store.yaml]
        components: [../../components/search]
        patches: [{path: mounts.yaml, target: \(target)}]

        """, to: copy)
      let mine = copy.appendingPathComponent("overlays/mine")
      for file in page.matches(of: /overlays\/mine\/([a-z]+\.yaml) <<END\n((?s:.*?))END\n/) {
        try Data(file.2.utf8).write(to: mine.appendingPathComponent(String(file.1)))
      }
      let run = try runProgram("kubectl", ["kustomize", mine.path])
      #expect(run.exitCode == 0, "\(run.errors)")
      let workloads = try Manifest.read(text: run.output, source: "mine").filter { $0.pod != nil }
      let mounted = workloads.filter {
        $0.containers[0]["volumeMounts"].list.contains { $0["mountPath"].string == "/store" }
          && $0.pod?["spec"]["volumes"].list.contains {
            $0["persistentVolumeClaim"]["claimName"].string == "store"
          } == true
      }
      #expect(Set(mounted.map(\.name)) == ["notebook", "search", "worker"])
    }
  }

  /// The overlay that a guide has its reader write, on another of the project's.
  private static func overlay(of guide: String, on overlay: String) throws -> String {
    let guide = try text(of: "Sources/Apus/Apus.docc/\(guide).md")
    let part = try #require(
      guide.firstMatch(of: /overlays\/mine\/kustomization\.yaml <<END\n((?s:.*?))END\n/))
    #expect(part.1.contains("resources: [../gke-spot]"))
    return String(part.1).replacing("../gke-spot", with: "../\(overlay)")
  }

  private static func write(_ kustomization: String, to copy: URL) throws {
    let mine = copy.appendingPathComponent("overlays/mine")
    try? FileManager.default.removeItem(at: mine)
    try FileManager.default.createDirectory(at: mine, withIntermediateDirectories: false)
    try Data(kustomization.utf8).write(to: mine.appendingPathComponent("kustomization.yaml"))
  }
}
