import ApusTestSupport
import Foundation
import Testing

/// What must be true of every manifest, whatever cluster it goes to.
@Suite struct KubernetesTests {
  @Test func everyFileIsYAMLOfAKindAndIsReached() throws {
    #expect(Kubernetes.files.count > 15)
    for file in Kubernetes.files {
      for manifest in try Manifest.read(file) {
        #expect(manifest["apiVersion"].string != nil && manifest["kind"].string != nil, "\(manifest)")
      }
    }
    // A file that no kustomization names would never be applied.
    let named = Set(
      try Kubernetes.kustomizations().flatMap { kustomization in
        (kustomization["resources"].strings + kustomization["patches"].list.compactMap { $0["path"].string })
          .map { Kubernetes.path(of: $0, from: kustomization.source) }
      })
    for file in Kubernetes.files where !file.hasSuffix("kustomization.yaml") {
      #expect(named.contains(file), "\(file) is in no kustomization")
    }
  }

  @Test func everyReferenceOfAKustomizationExists() throws {
    for kustomization in try Kubernetes.kustomizations() {
      let references =
        kustomization["resources"].strings + kustomization["components"].strings
        + kustomization["patches"].list.compactMap { $0["path"].string }
      for reference in references {
        let path = Kubernetes.path(of: reference, from: kustomization.source)
        var isFolder: ObjCBool = false
        let found = FileManager.default.fileExists(
          atPath: repositoryRoot.appendingPathComponent(path).path, isDirectory: &isFolder)
        #expect(found, "\(kustomization.source) names \(reference)")
        if isFolder.boolValue {
          #expect(Kubernetes.files.contains("\(path)/kustomization.yaml"), "\(path) is no kustomization")
        }
      }
    }
  }

  @Test func podsHaveNoMoreRightsThanTheyNeed() throws {
    let workloads = try Kubernetes.objects().filter { $0.pod != nil }
    #expect(Set(workloads.map(\.name)) == ["scheduler", "worker", "notebook", "search"])
    for workload in workloads {
      let spec = try #require(workload.pod)["spec"]
      #expect(spec["automountServiceAccountToken"].bool == false, "\(workload)")
      #expect(spec["securityContext"]["runAsNonRoot"].bool == true, "\(workload)")
      #expect((spec["securityContext"]["runAsUser"].int ?? 0) >= 10_000, "\(workload)")
      #expect(spec["securityContext"]["seccompProfile"]["type"].string == "RuntimeDefault", "\(workload)")
      for key in ["hostNetwork", "hostPID", "hostIPC"] { #expect(!spec[key].exists, "\(workload)") }
      for volume in spec["volumes"].list { #expect(!volume["hostPath"].exists, "\(workload)") }
      for container in workload.containers {
        let security = container["securityContext"]
        #expect(security["allowPrivilegeEscalation"].bool == false, "\(workload)")
        #expect(security["readOnlyRootFilesystem"].bool == true, "\(workload)")
        #expect(security["capabilities"]["drop"].strings == ["ALL"], "\(workload)")
        #expect(!security["capabilities"]["add"].exists && !security["privileged"].exists, "\(workload)")
        let mounts = container["volumeMounts"].list.compactMap { $0["mountPath"].string }
        #expect(mounts.contains("/tmp"), "\(workload) has a read-only root and nowhere to write")
      }
    }
  }

  @Test func podsSayWhatTheyNeedAndHowTheyAre() throws {
    for workload in try Kubernetes.objects().filter({ $0.pod != nil }) {
      for container in workload.containers {
        for kind in ["requests", "limits"] {
          for resource in ["cpu", "memory"] {
            #expect(container["resources"][kind][resource].exists, "\(workload) \(kind) \(resource)")
          }
        }
        guard workload.kind == "Deployment" else { continue }
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
          #expect(container[probe].exists, "\(workload) \(probe)")
        }
        // A worker that waits for its scheduler is not ready, and is not killed either.
        let commands = ["startupProbe", "readinessProbe", "livenessProbe"].map {
          container[$0]["exec"]["command"].strings.last
        }
        #expect(commands == ["health", workload.name == "worker" ? "ready" : "health", "health"])
      }
    }
  }

  /// The Job is applied together with the cluster that it uses.
  @Test func theSearchWaitsForItsScheduler() throws {
    let search = try #require(try Kubernetes.objects().first { $0.kind == "Job" && $0.name == "search" })
    let option = try #require(
      search.containers[0]["args"].strings.first { $0.hasPrefix("--connect-timeout=") })
    #expect((option.split(separator: "=").last.flatMap { Int($0) } ?? 0) >= 120, "\(option)")
  }

  /// Exit code 5 is also a cluster that was lost: the next pod continues the study.
  @Test func theSearchIsGivenUpForWhatDoesNotPassOnly() throws {
    let spec = try #require(try Kubernetes.objects().first { $0.kind == "Job" && $0.name == "search" })[
      "spec"]
    let rules = spec["podFailurePolicy"]["rules"].list
    #expect(rules.first?["action"].string == "Ignore")
    let conclusive = rules.filter { $0["action"].string == "FailJob" }.map {
      ($0["onExitCodes"]["operator"].string, $0["onExitCodes"]["values"].list.compactMap(\.int))
    }
    #expect(conclusive.count == 1 && conclusive[0].0 == "In" && conclusive[0].1 == [2, 3])
    #expect((1...5).contains(spec["backoffLimit"].int ?? 0), "what fails for good is not tried for hours")
  }

  /// On a node that does not answer, a pod may still be writing: two machines that write to one study damage it.
  @Test func aStudyNeverHasTwoWriters() throws {
    let search = try #require(try Kubernetes.objects().first { $0.kind == "Job" && $0.name == "search" })
    #expect(search["spec"]["podReplacementPolicy"].string == "Failed")
    #expect(search["spec"]["parallelism"].int == 1 && search["spec"]["completions"].int == 1)
    // What the administrator does about such a node is in the guide.
    let guide = try text(of: "Sources/Apus/Apus.docc/DeployingClusters.md")
    for way in ["node.kubernetes.io/out-of-service=nodeshutdown:NoExecute", "kubectl delete node NODE"] {
      #expect(guide.contains(way), "\(way)")
    }
  }

  @Test func theCPUOfAWorkerIsItsBudget() throws {
    let worker = try #require(
      try Kubernetes.objects().first { $0.kind == "Deployment" && $0.name == "worker" })
    let resources = worker.containers[0]["resources"]
    #expect(resources["requests"]["cpu"].string == resources["limits"]["cpu"].string)
    #expect(!worker.containers[0]["env"].list.contains { $0["name"].string == "APUS_SLOTS" })
    #expect(worker.pod?["spec"]["priorityClassName"].string == "apus-worker")
    let spread = worker.pod?["spec"]["topologySpreadConstraints"].list ?? []
    #expect(spread.count == 2)
    // The Deployment's own label: pods of the last version do not count while they are replaced.
    for constraint in spread { #expect(constraint["matchLabelKeys"].strings == ["pod-template-hash"]) }
  }

  /// What a pod writes is bounded: it cannot fill its node's disk, nor more memory than it has.
  @Test func everyEmptyVolumeHasASize() throws {
    func bytes(_ size: String?) throws -> Int {
      let parts = try #require((size ?? "").wholeMatch(of: /(\d+)(Mi|Gi)/))
      return try #require(Int(parts.1)) << (parts.2 == "Gi" ? 30 : 20)
    }
    for workload in try Kubernetes.objects().filter({ $0.pod != nil }) {
      let volumes = workload.pod?["spec"]["volumes"].list.filter { $0["emptyDir"].exists } ?? []
      #expect(!volumes.isEmpty, "\(workload)")
      for volume in volumes {
        let size = try bytes(volume["emptyDir"]["sizeLimit"].string)
        guard volume["emptyDir"]["medium"].string == "Memory" else { continue }
        let memory = try bytes(workload.containers[0]["resources"]["limits"]["memory"].string)
        #expect(size * 2 <= memory, "\(workload) \(volume["name"].string ?? "")")
      }
      // Those that read data sets share them there.
      let mounts = workload.containers[0]["volumeMounts"].list.compactMap { $0["mountPath"].string }
      if workload.name == "worker" || workload.name == "notebook" { #expect(mounts.contains("/dev/shm")) }
    }
  }

  @Test func workersThatAreNotReadyHoldUpNoDrain() throws {
    let budget = try #require(try Kubernetes.objects().first { $0.kind == "PodDisruptionBudget" })["spec"]
    #expect(budget["maxUnavailable"].string == "50%")
    #expect(budget["unhealthyPodEvictionPolicy"].string == "AlwaysAllow")
  }

  @Test(arguments: ["scheduler", "worker", "search"])
  func aNodeThatIsGoneIsNotWaitedForFiveMinutes(name: String) throws {
    let workload = try #require(try Kubernetes.objects().first { $0.pod != nil && $0.name == name })
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
      let toleration = workload.pod?["spec"]["tolerations"].list.first { $0["key"].string == key }
      #expect((1...30).contains(toleration?["tolerationSeconds"].int ?? 300), "\(name) \(key)")
      #expect(toleration?["effect"].string == "NoExecute")
    }
  }

  @Test func workersDrainWithinTheirGracePeriod() throws {
    var checked = 0
    for file in Kubernetes.files {
      for manifest in try Manifest.read(file) where manifest.kind == "Deployment" && manifest.name == "worker"
      {
        let spec = manifest["spec"]["template"]["spec"]
        let grace = try #require(spec["terminationGracePeriodSeconds"].int, "\(manifest)")
        let drain = spec["containers"].list[0]["env"].list.first { $0["name"].string == "APUS_DRAIN_SECONDS" }
        let seconds = try #require(drain?["value"].string.flatMap { Int($0) }, "\(manifest)")
        // Handing over the results may take five seconds, and leaving takes a moment too.
        #expect(seconds + 6 <= grace, "\(manifest)")
        checked += 1
      }
    }
    #expect(checked == 4)
  }

  @Test func nothingIsReachableFromOutside() throws {
    for service in try Kubernetes.objects().filter({ $0.kind == "Service" }) {
      #expect(service["spec"]["type"].string == "ClusterIP", "\(service)")
    }
    for object in try Kubernetes.objects() {
      let isAsked = object.source.hasPrefix("kubernetes/components/ingress/")
      #expect(object.kind != "Ingress" || (isAsked && object["spec"]["tls"].list.count == 1), "\(object)")
      #expect(
        !["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"].contains(object.kind), "\(object)")
    }
    let policies = try Kubernetes.objects().filter { $0.kind == "NetworkPolicy" }
    let denied = try #require(policies.first { $0.name == "deny-all" })["spec"]
    #expect(denied["podSelector"].keys.isEmpty && denied["policyTypes"].strings == ["Ingress", "Egress"])
    #expect(!denied["ingress"].exists && !denied["egress"].exists)
  }

  @Test func selectorsMatchLabels() throws {
    let objects = try Kubernetes.objects()
    let pods = objects.compactMap { $0.pod?["metadata"]["labels"].labels }
    func matches(_ selector: [String: String]) -> Bool {
      pods.contains { pod in selector.allSatisfy { pod[$0.key] == $0.value } }
    }
    for object in objects {
      switch object.kind {
      case "Deployment":
        let selector = object["spec"]["selector"]["matchLabels"].labels
        #expect(!selector.isEmpty && selector == object.pod?["metadata"]["labels"].labels, "\(object)")
        for spread in object["spec"]["template"]["spec"]["topologySpreadConstraints"].list {
          #expect(spread["labelSelector"]["matchLabels"].labels == selector, "\(object)")
        }
      case "Service":
        #expect(matches(object["spec"]["selector"].labels), "\(object)")
      case "PodDisruptionBudget":
        #expect(matches(object["spec"]["selector"]["matchLabels"].labels), "\(object)")
      case "NetworkPolicy":
        let selectors =
          [object["spec"]["podSelector"]]
          + (object["spec"]["ingress"].list.flatMap { $0["from"].list }
          + object["spec"]["egress"].list.flatMap { $0["to"].list }).map { $0["podSelector"] }
        for selector in selectors where selector.exists {
          #expect(matches(selector["matchLabels"].labels), "\(object)")
          for expression in selector["matchExpressions"].list {
            for value in expression["values"].strings {
              #expect(matches([expression["key"].string ?? "": value]), "\(object) \(value)")
            }
          }
        }
      case "HorizontalPodAutoscaler":
        let target = object["spec"]["scaleTargetRef"]
        #expect(objects.contains { $0.kind == target["kind"].string && $0.name == target["name"].string })
      default: break
      }
    }
  }

  @Test func whatPodsNameExists() throws {
    let objects = try Kubernetes.objects()
    let kustomizations = try Kubernetes.kustomizations()
    func generated(_ generator: String) -> [String] {
      kustomizations.flatMap { $0[generator].list.compactMap { $0["name"].string } }
    }
    let accounts = objects.filter { $0.kind == "ServiceAccount" }
    #expect(accounts.allSatisfy { $0["automountServiceAccountToken"].bool == false })
    let claims = objects.filter { $0.kind == "PersistentVolumeClaim" }.map(\.name)
    for workload in objects where workload.pod != nil {
      let spec = try #require(workload.pod)["spec"]
      #expect(accounts.contains { $0.name == spec["serviceAccountName"].string }, "\(workload)")
      let volumes = spec["volumes"].list
      for volume in volumes {
        if let secret = volume["secret"]["secretName"].string {
          #expect(generated("secretGenerator").contains(secret), "\(workload) \(secret)")
        }
        if let claim = volume["persistentVolumeClaim"]["claimName"].string {
          #expect(claims.contains(claim), "\(workload) \(claim)")
        }
      }
      for container in workload.containers {
        for mount in container["volumeMounts"].list {
          #expect(volumes.contains { $0["name"].string == mount["name"].string }, "\(workload)")
        }
        for source in container["envFrom"].list {
          let name = source["configMapRef"]["name"].string ?? ""
          #expect(generated("configMapGenerator").contains(name), "\(workload)")
        }
      }
    }
  }

  /// The pod of the guide with which results are fetched passes the namespace's standard, and finds the study.
  @Test func thePodThatFetchesResultsIsAdmitted() throws {
    let guide = try text(of: "Sources/Apus/Apus.docc/DeployingClusters.md")
    let part = try #require(guide.firstMatch(of: /apply -f - <<END\n((?s:.*?))\nEND\n/))
    let pod = try #require(try Manifest.read(text: String(part.1), source: "DeployingClusters.md").first)
    #expect(pod.kind == "Pod" && pod["metadata"]["namespace"].string == "apus")
    let spec = pod["spec"]
    #expect(spec["automountServiceAccountToken"].bool == false)
    #expect(spec["securityContext"]["runAsNonRoot"].bool == true)
    #expect(spec["securityContext"]["seccompProfile"]["type"].string == "RuntimeDefault")
    let container = spec["containers"].list[0]
    #expect(container["securityContext"]["allowPrivilegeEscalation"].bool == false)
    #expect(container["securityContext"]["capabilities"]["drop"].strings == ["ALL"])
    let claim = try #require(spec["volumes"].list[0]["persistentVolumeClaim"]["claimName"].string)
    let job = try #require(try Kubernetes.objects().first { $0.kind == "Job" }?.pod)
    #expect(
      job["spec"]["volumes"].list.contains { $0["persistentVolumeClaim"]["claimName"].string == claim })
    #expect(spec["securityContext"]["runAsUser"].int == job["spec"]["securityContext"]["runAsUser"].int)
    #expect(container["volumeMounts"].list[0]["mountPath"].string == "/studies")
  }

  /// Every page gives pods a right to data, and tells what costs money and how to be rid of it.
  @Test(arguments: ["Google", "Amazon", "Azure"])
  func cloudPagesEndWithWhatKeepsCosting(provider: String) throws {
    let page = try text(of: "Sources/Apus/Apus.docc/\(provider)Clusters.md")
    let parts = page.split(separator: "\n## ").map { $0.split(separator: "\n", maxSplits: 1)[0] }
    #expect(parts.last == "What keeps costing" && parts.contains { $0.hasPrefix("Data") }, "\(parts)")
    let commands = ["Google": "clusters delete", "Amazon": "delete cluster", "Azure": "group delete"]
    #expect(page.contains(commands[provider]!))
    // Rights go to the accounts that pods have; Azure's page has signatures and a share instead.
    guard provider != "Azure" else { return }
    for account in ["client", "worker"] {
      #expect(page.contains("/\(account) --role=") || page.contains("--service-account-name \(account) "))
    }
  }

  @Test func noSecretIsWrittenDown() throws {
    #expect(try !Kubernetes.objects().contains { $0.kind == "Secret" })
    for kustomization in try Kubernetes.kustomizations() {
      for secret in kustomization["secretGenerator"].list {
        #expect(!secret["literals"].exists, "\(kustomization.source)")
        #expect(!secret["files"].strings.isEmpty)
        // The authority's key makes further certificates: it stays with whoever made it.
        #expect(!secret["files"].strings.contains { $0.contains("authority.key") })
        for file in secret["files"].strings {
          let path = Kubernetes.path(of: file, from: kustomization.source)
          let run = try runProgram("git", ["check-ignore", "--quiet", path], in: repositoryRoot)
          #expect(run.exitCode == 0, "\(path) would be committed")
        }
      }
    }
  }

  @Test(arguments: ["gke-spot", "eks-spot", "aks-spot"])
  func spotOverlaysPutWorkersAloneOnSpotMachines(overlay: String) throws {
    let worker = try #require(try Manifest.read("kubernetes/overlays/\(overlay)/worker.yaml").first)
    let spec = worker["spec"]["template"]["spec"]
    let (key, value) = try #require(spec["nodeSelector"].labels.first)
    #expect(
      spec["tolerations"].list.contains { $0["key"].string == key && $0["value"].string == value })
    let elsewhere = try #require(try Manifest.read("kubernetes/overlays/\(overlay)/elsewhere.yaml").first)
    let terms = elsewhere["spec"]["template"]["spec"]["affinity"]["nodeAffinity"][
      "requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"].list
    let avoided = try #require(terms.first?["matchExpressions"].list.first)
    #expect(avoided["key"].string == key && avoided["operator"].string == "NotIn")
    #expect(avoided["values"].strings == [value])
    // The Job goes with every overlay, so it avoids them by itself.
    let search = try #require(try Kubernetes.objects().first { $0.kind == "Job" })
    let own = search.pod?["spec"]["affinity"]["nodeAffinity"][
      "requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"].list
    #expect(own?.count == 1)
    #expect(
      own?[0]["matchExpressions"].list.contains {
        $0["key"].string == key && $0["operator"].string == "NotIn" && $0["values"].strings == [value]
      } == true)
  }
}
