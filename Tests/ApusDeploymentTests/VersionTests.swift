import ApusTestSupport
import Foundation
import Testing

/// `container/versions.env` and the lists of packages beside it say what everything is made of; whatever says it again
/// says the same.
@Suite struct VersionTests {
  private let version: String

  init() throws { version = try #require(Versions.all["APUS_VERSION"]) }

  @Test func theImageIsMadeOfWhatIsWrittenDown() throws {
    let dockerfile = try text(of: "Dockerfile")
    for (name, value) in Versions.all { #expect(dockerfile.contains("\nARG \(name)=\(value)\n")) }
    let bases = Versions.all.filter { $0.key.hasSuffix("_IMAGE") }
    #expect(bases.count == 2)
    for (name, value) in bases {
      // By digest, or at least by a whole version: `swift:6.3` is another image next month.
      #expect(
        value.contains(/@sha256:[0-9a-f]{64}$/) || value.contains(/:\d+\.\d+\.\d+-[a-z]/), "\(name)=\(value)")
    }
    // What one of them builds runs on the other: the same release of Debian.
    let releases = Set(bases.values.compactMap { $0.firstMatch(of: /-([a-z]+)(@|$)/).map { String($0.1) } })
    #expect(releases.count == 1, "\(releases)")
  }

  @Test func thePythonOfTheImageIsTheOneThatPackagesAreLockedFor() throws {
    let image = try #require(Versions.all["PYTHON_IMAGE"])
    let python = try #require(image.firstMatch(of: /:(\d+\.\d+)\.\d+/)).1
    let named =
      try text(of: "Dockerfile").matches(of: /python(\d+\.\d+)/).map { $0.1 }
      + ["requirements", "requirements-notebook"].flatMap {
        try text(of: "container/\($0).in").matches(of: /--python-version (\d+\.\d+)/).map { $0.1 }
      }
    #expect(named.count == 3 && named.allSatisfy { $0 == python }, "\(named) \(python)")
  }

  @Test func programsAndKernelsSayTheVersion() throws {
    #expect(try text(of: "Sources/Apus/Apus.swift").contains("let apusVersion = \"\(version)\""))
    let kernel = "Examples/notebooks/kernel"
    #expect(try text(of: "\(kernel)/pyproject.toml").contains("version = \"\(version)\""))
    #expect(
      try text(of: "\(kernel)/apus_kernel/kernel.py").contains("implementation_version = \"\(version)\""))
  }

  @Test func manifestsNameTheImagesOfThisVersion() throws {
    for kustomization in try Kubernetes.kustomizations() {
      for image in kustomization["images"].list {
        #expect(image["newTag"].string == version, "\(kustomization.source)")
      }
    }
    for manifest in try Kubernetes.objects() {
      let image = manifest.name == "notebook" ? "apus-notebook" : "apus"
      for container in manifest.containers { #expect(container["image"].string == image, "\(manifest)") }
    }
    let example = try text(of: "Examples/CustomEstimator/Dockerfile")
    #expect(example.contains("FROM apus:\(version)-build") && example.contains("FROM apus:\(version)\n"))
  }

  /// Every file of the repository, guides and scripts too: a tag that was forgotten names an image that is not there.
  @Test func whereverAnImageIsNamedItIsOfThisVersion() throws {
    let image = #"(apus|apus-notebook|\$image|newTag): ?[0-9]+\.[0-9]+\.[0-9]+"#
    let search = try runProgram("git", ["grep", "-IoE", image, "--", ":!Tests"], in: repositoryRoot)
    try #require(search.exitCode == 0, "\(search.errors)")
    var naming = Set<String>()
    for line in search.output.split(separator: "\n") {
      let parts = line.split(separator: ":").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(parts.last == version, "\(line)")
      naming.insert(parts[0])
    }
    let guides = ["DeployingClusters", "CloudClusters", "GoogleClusters", "AmazonClusters", "AzureClusters"]
    let known =
      ["README.md", "compose.yaml", "kubernetes/base/kustomization.yaml", "kubernetes/certificates/make"]
      + guides.map { "Sources/Apus/Apus.docc/\($0).md" }
    #expect(naming.isSuperset(of: known), "\(Set(known).subtracting(naming))")
  }

  /// What is tested is what the image has.
  @Test(arguments: ["ApusDaskTests/Requirements/dask", "ApusNotebookTests/Requirements/notebooks"])
  func testsHaveThePackagesOfTheImage(list: String) throws {
    let image = try Self.packages("container/requirements.txt")
      .merging(Self.packages("container/requirements-notebook.txt")) { first, _ in first }
    let tested = try Self.packages("Tests/\(list).txt")
    #expect(tested["distributed"] != nil && tested["distributed"] == image["distributed"])
    let both = Set(tested.keys).intersection(image.keys)
    #expect(both.count > 50)
    for name in both { #expect(tested[name] == image[name], "\(name)") }
  }

  @Test func measurementsHaveTheDaskOfTheImage() throws {
    let dask = try #require(try Self.packages("container/requirements.txt")["distributed"])
    #expect(try text(of: "container/requirements.in").contains("\ndistributed==\(dask)\n"))
    #expect(try text(of: "Benchmarks/compare-dask").contains("'distributed==\(dask)'"))
  }

  /// Names and versions of a list of Python packages; the same name may be written in several ways.
  private static func packages(_ file: String) throws -> [String: String] {
    let lines = try text(of: file).matches(of: /(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)/)
    return Dictionary(
      uniqueKeysWithValues: lines.map {
        ($0.1.lowercased().replacing("_", with: "-").replacing(".", with: "-"), String($0.2))
      })
  }
}
