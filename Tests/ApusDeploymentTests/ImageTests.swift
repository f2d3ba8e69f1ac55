import ApusTestSupport
import Foundation
import Testing

/// What must be true of the images' recipe.
@Suite struct ImageTests {
  /// The instructions of a Dockerfile, with their continued lines.
  private func instructions(_ file: String) throws -> [(name: String, rest: String)] {
    try text(of: file).replacingOccurrences(of: "\\\n", with: " ").split(separator: "\n")
      .filter { !$0.hasPrefix("#") }
      .map { line in
        let words = line.split(separator: " ", maxSplits: 1)
        return (words[0].uppercased(), words.count > 1 ? String(words[1]) : "")
      }
  }

  @Test func theImageIsSmallAndRunsAsNobodySpecial() throws {
    let all = try instructions("Dockerfile")
    // What is built without a target is the small image as it is.
    #expect(all.last?.name == "FROM" && all.last?.rest == "image")
    let start = try #require(all.firstIndex { $0.name == "FROM" && $0.rest.hasSuffix(" AS image") })
    let end = try #require(all[(start + 1)...].firstIndex { $0.name == "FROM" })
    let final = Array(all[start..<end])
    let user = try #require(final.last { $0.name == "USER" }?.rest)
    #expect(user == "10001:10001")
    #expect(final.contains { $0.name == "HEALTHCHECK" && $0.rest.contains("apus-container") })
    #expect(final.contains { $0.name == "ENTRYPOINT" && $0.rest.hasPrefix("[\"tini\"") })
    #expect(
      final.filter { $0.name == "LABEL" }.contains { $0.rest.contains("org.opencontainers.image.version") })
    // Nothing that compiles.
    for word in ["-dev", "gcc", "clang", "swift build", "pip install"] {
      #expect(!final.contains { $0.name == "RUN" && $0.rest.contains(word) }, "\(word)")
    }
    #expect(!all.contains { $0.name == "ADD" }, "ADD fetches and unpacks")
  }

  /// The notebook's image is the small one and a compiler.
  @Test func theNotebooksImageExtendsTheSmallOne() throws {
    let all = try instructions("Dockerfile")
    let start = try #require(all.firstIndex { $0.name == "FROM" && $0.rest == "image AS notebook" })
    let end = try #require(all[(start + 1)...].firstIndex { $0.name == "FROM" })
    let stage = Array(all[start..<end])
    #expect(stage.last { $0.name == "USER" }?.rest == "10001:10001")
    #expect(stage.last { $0.name == "CMD" }?.rest == "[\"notebook\"]")
    #expect(!stage.contains { ["ENTRYPOINT", "HEALTHCHECK"].contains($0.name) }, "they are the small one's")
    #expect(stage.contains { $0.name == "ENV" && $0.rest == "APUS_WORKER_PROGRAM=/usr/local/bin/apus" })
    let notebook = try text(of: "Examples/notebooks/tuning-on-a-cluster.ipynb")
    #expect(notebook.contains("APUS_WORKER_PROGRAM"))
    // Nothing in it asks the Internet for news.
    let page = try #require(try Manifest.read("container/page_config.json").first)
    #expect(page["disabledExtensions"]["@jupyterlab/apputils-extension:announcements"].bool == true)
    #expect(
      stage.contains {
        $0.name == "COPY" && $0.rest == "container/page_config.json /opt/python/etc/jupyter/labconfig/"
      })
    // The kernel there needs what the kernel's package says that it needs.
    let locked = try text(of: "container/requirements.txt") + text(of: "container/requirements-notebook.txt")
    let package = try text(of: "Examples/notebooks/kernel/pyproject.toml")
    let wanted = package.matches(of: /"([a-z-]+)>=/).map { String($0.1) }.filter { $0 != "hatchling" }
    #expect(wanted.count == 2)
    // Scheduler and workers carry no JupyterLab, and nothing is in both.
    let small = try Self.packages(of: "requirements")
    let large = try Self.packages(of: "requirements-notebook")
    #expect(small.isDisjoint(with: large))
    #expect(large.isSuperset(of: ["jupyterlab", "ipykernel", "matplotlib", "vl-convert-python"]))
    for name in wanted { #expect(locked.contains("\n\(name)=="), "\(name) is not in the image") }
  }

  private static func packages(of name: String) throws -> Set<String> {
    Set(try text(of: "container/\(name).txt").matches(of: /(?m)^([A-Za-z0-9._-]+)==/).map { String($0.1) })
  }

  @Test(arguments: ["requirements", "requirements-notebook"])
  func everyPythonPackageIsLocked(name: String) throws {
    let lock = try text(of: "container/\(name).txt")
    let packages = lock.components(separatedBy: "\n").filter {
      !$0.isEmpty && !$0.hasPrefix(" ") && !$0.hasPrefix("#")
    }
    #expect(!packages.isEmpty)
    for line in packages { #expect(line.contains("==") && line.hasSuffix("\\"), "\(line)") }
    #expect(!lock.contains("://"), "the lock file is for any index")
    for wanted in try text(of: "container/\(name).in").split(separator: "\n") where !wanted.hasPrefix("#") {
      let prefix = wanted.contains("==") ? "\(wanted) " : "\(wanted)=="
      #expect(packages.contains { $0.hasPrefix(prefix) }, "\(wanted) is not in the lock file")
    }
  }

  /// What is left of packages is what they are used for.
  @Test func packagesAreTrimmed() throws {
    try withTemporaryFolder { folder in
      let kept = [
        "bokeh/server/static/js/bokeh.min.js", "bokeh/server/static/js/only.js", "bokeh/models/plots.py",
        "botocore/data/endpoints.json", "botocore/data/s3/2006-03-01/service-2.json",
        "botocore/data/sts/2011-06-15/service-2.json", "other/data/ec2/table.json", "other/latest.py",
      ]
      let gone = [
        "bokeh/server/static/js/bokeh.js", "bokeh/server/static/js/compiler.js",
        "bokeh/server/static/lib/lib.dom.d.ts", "botocore/data/ec2/2016-11-15/service-2.json",
        "botocore/data/s3control/2018-08-20/service-2.json", "other/tests/test_other.py",
      ]
      let packages = folder.appendingPathComponent("lib/python3/site-packages")
      for name in kept + gone {
        let file = packages.appendingPathComponent(name)
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: file)
      }
      let trim = repositoryRoot.appendingPathComponent("container/trim-python").path
      let run = try runProgram(trim, [folder.path])
      #expect(run.exitCode == 0 && run.errors.isEmpty, "\(run)")
      for name in kept + gone {
        let isThere = FileManager.default.fileExists(atPath: packages.appendingPathComponent(name).path)
        #expect(isThere == kept.contains(name), "\(name)")
      }
    }
  }

  @Test func everythingInTheImageIsPinned() throws {
    let all = try instructions("Dockerfile")
    for (name, rest) in all where name == "RUN" && rest.contains("apt-get install") {
      let quoted = rest.split(separator: "'").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
      #expect(!quoted.isEmpty && quoted.allSatisfy { $0.contains("=") }, "\(rest)")
      let options = rest.split(separator: "'")[0]
      #expect(options.hasSuffix("--no-install-recommends    ") || options.contains("--no-install-recommends"))
    }
    #expect(!(try text(of: "Dockerfile")).contains(":latest"))
    // Which frontend reads the recipe is the builder's: one that is fetched would have to be pinned too.
    #expect(!(try text(of: "Dockerfile")).contains("# syntax="))
    #expect(all.contains { $0.rest.contains("--require-hashes") })
    #expect(all.contains { $0.rest.contains("--only-use-versions-from-resolved-file") })

    let resolved = try text(of: "container/swift-packages.json")
    // SwiftPM writes a sum of the manifest there, which the next change of the manifest makes wrong.
    #expect(!resolved.contains("originHash"))
    let manifest = try text(of: "Package.swift")
    for line in manifest.split(separator: "\n") where line.contains(".package(url:") {
      let address = try #require(line.split(separator: "\"").dropFirst().first)
      #expect(resolved.contains("\"\(address)\"") || resolved.contains("\"\(address).git\""), "\(address)")
    }
  }

  /// A manifest with a target whose folder is not in the image does not build there, whichever product is asked for.
  @Test func everyTargetsFolderGetsIntoTheBuild() throws {
    let copied = try instructions("Dockerfile").filter { $0.name == "COPY" }
      .flatMap { $0.rest.split(separator: " ").dropLast().map(String.init) }
    let sent = try text(of: ".dockerignore").split(separator: "\n").filter { $0.hasPrefix("!") }.map {
      $0.dropFirst()
    }
    let folders = try text(of: "Package.swift").matches(of: /path: "([^"]+)"/).map { String($0.1) }
    #expect(folders.contains("Benchmarks/Programs/BackendComparison"))
    for folder in folders {
      #expect(copied.contains { folder == $0 || folder.hasPrefix("\($0)/") }, "\(folder)")
      #expect(sent.contains { folder == $0 || folder.hasPrefix("\($0)/") }, "\(folder)")
    }
  }

  @Test func noSecretCanGetIntoALayer() throws {
    let ignored = try text(of: ".dockerignore").split(separator: "\n")
    #expect(ignored.contains("*"), "only what is named may be sent to the builder")
    for pattern in ["**/*.key", "**/*.pem"] { #expect(ignored.last { $0 == pattern } != nil) }
    #expect(!ignored.contains { $0.hasPrefix("!kubernetes") || $0.hasPrefix("!.git") })
    for (name, rest) in try instructions("Dockerfile") where ["ARG", "ENV", "COPY"].contains(name) {
      for word in ["PASSWORD", "SECRET", "TOKEN", ".pem", ".key"] {
        #expect(!rest.uppercased().contains(word.uppercased()), "\(name) \(rest)")
      }
    }
  }

  @Test func aPackageExtendsTheImageInFourLines() throws {
    let lines = try instructions("Examples/CustomEstimator/Dockerfile")
    #expect(lines.map(\.name) == ["FROM", "RUN", "FROM", "COPY"])
  }

  @Test func scriptsAreProgramsThatShellsUnderstand() throws {
    for file in [
      "Benchmarks/kubernetes", "Scripts/release", "container/apus-container", "container/build-package",
      "container/collect-notebook", "container/trim-python",
      "kubernetes/certificates/make",
    ] {
      let path = repositoryRoot.appendingPathComponent(file).path
      #expect(FileManager.default.isExecutableFile(atPath: path), "\(file)")
      let shell = try text(of: file).hasPrefix("#!/bin/sh\n") ? "/bin/sh" : "/bin/bash"
      let run = try runProgram(shell, ["-n", path])
      #expect(run.exitCode == 0, "\(file): \(run.errors)")
    }
  }
}
