import Foundation
import Testing

/// What must be true of `compose.yaml`.
@Suite struct ComposeTests {
  private func services() throws -> [(key: String, value: Manifest)] {
    try #require(try Manifest.read("compose.yaml").first)["services"].entries
  }

  @Test func thereIsAServiceForEveryRole() throws {
    let names = try services().map(\.key)
    #expect(names == ["apus", "certificates", "notebook", "scheduler", "worker"])
    // The client runs when it is called, not with the cluster.
    #expect(try services().first { $0.key == "apus" }?.value["profiles"].strings == ["client"])
  }

  @Test func everyServiceIsLockedUp() throws {
    let version = try #require(Versions.all["APUS_VERSION"])
    for (name, service) in try services() {
      let isNotebook = name == "notebook"
      #expect(service["image"].string == "\(isNotebook ? "apus-notebook" : "apus"):\(version)", "\(name)")
      #expect(service["build"]["target"].string == (isNotebook ? "notebook" : "image"), "\(name)")
      #expect(service["read_only"].bool == true, "\(name)")
      #expect(service["cap_drop"].strings == ["ALL"], "\(name)")
      #expect(service["security_opt"].strings == ["no-new-privileges:true"], "\(name)")
      #expect(!service["privileged"].exists && !service["network_mode"].strings.contains("host"), "\(name)")
      #expect(service["tmpfs"].strings.allSatisfy { $0.contains("size=") }, "\(name)")
      for port in service["ports"].strings { #expect(port.hasPrefix("127.0.0.1:"), "\(name) \(port)") }
      for volume in service["volumes"].strings {
        #expect(!volume.contains("docker.sock"), "\(name)")
      }
    }
  }

  @Test func everyVolumeIsNamedAndCertificatesAreWrittenOnce() throws {
    let file = try #require(try Manifest.read("compose.yaml").first)
    let volumes = file["volumes"].keys
    for (name, service) in file["services"].entries {
      for mount in service["volumes"].strings {
        let parts = mount.split(separator: ":").map(String.init)
        #expect(volumes.contains(parts[0]) || parts[0].hasPrefix("./"), "\(name) \(mount)")
        if parts[0] == "certificates" {
          #expect((parts.last == "ro") == (name != "certificates"), "\(name)")
        }
      }
    }
  }

  @Test func studiesAndDataAreWhereTheirUsersAre() throws {
    let services = try services()
    func mounts(_ name: String) throws -> [String] {
      try #require(services.first { $0.key == name }).value["volumes"].strings
    }
    for client in ["apus", "notebook"] {
      #expect(try mounts(client).contains("studies:/studies"), "\(client)")
      #expect(try mounts(client).contains("data:/data"), "\(client)")
    }
    #expect(try mounts("worker").contains("data:/data:ro"), "workers read, and change nothing")
    #expect(try mounts("notebook").contains("notebooks:/notebooks"))
    let file = try #require(try Manifest.read("compose.yaml").first)
    #expect(file["volumes"].keys == ["certificates", "data", "notebooks", "studies"])
    // A name with options could point elsewhere.
    for (name, volume) in file["volumes"].entries { #expect(!volume.exists, "\(name)") }
  }

  @Test func workersFollowTheirQuotaAndDrainInTime() throws {
    let worker = try #require(try services().first { $0.key == "worker" }).value
    #expect(worker["cpus"].int == 1)
    #expect(!worker["container_name"].exists, "a service with a name cannot be scaled")
    #expect(!worker["ports"].exists, "a service with a published port cannot be scaled")
    #expect(worker["stop_grace_period"].string == "30s")
    #expect(try text(of: "container/drain.py").contains("\"APUS_DRAIN_SECONDS\", \"20\""))
  }
}
