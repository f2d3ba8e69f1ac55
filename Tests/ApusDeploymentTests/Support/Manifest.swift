import ApusTestSupport
import Foundation
import Yams

/// A document of YAML, looked into by keys: what is not there is an empty document.
///
/// Unchecked Sendable: what Yams reads are values that nobody changes.
struct Manifest: CustomStringConvertible, @unchecked Sendable {
  private let value: Any?
  let source: String

  init(_ value: Any?, source: String) {
    self.value = value
    self.source = source
  }

  subscript(key: String) -> Manifest { Manifest((value as? [String: Any])?[key], source: source) }

  var exists: Bool { value != nil && !(value is NSNull) }
  var string: String? { value as? String }
  var int: Int? { value as? Int }
  var double: Double? { value as? Double }
  var bool: Bool? { value as? Bool }
  var list: [Manifest] { (value as? [Any] ?? []).map { Manifest($0, source: source) } }
  var strings: [String] { (value as? [Any] ?? []).compactMap { $0 as? String } }
  var keys: [String] { (value as? [String: Any] ?? [:]).keys.sorted() }
  var entries: [(key: String, value: Manifest)] { keys.map { ($0, self[$0]) } }
  var labels: [String: String] { value as? [String: String] ?? [:] }

  var kind: String { self["kind"].string ?? "" }
  var name: String { self["metadata"]["name"].string ?? "" }
  var description: String { "\(source) \(kind)/\(name)" }

  /// The documents of a file of the repository.
  static func read(_ file: String) throws -> [Manifest] {
    let text = try String(contentsOf: repositoryRoot.appendingPathComponent(file), encoding: .utf8)
    return try read(text: text, source: file)
  }

  /// The documents of a text.
  static func read(text: String, source: String) throws -> [Manifest] {
    try Yams.load_all(yaml: text).map { Manifest($0, source: source) }
  }
}

extension Manifest {
  /// The template of the pods of a Deployment or a Job; nil for what has none.
  var pod: Manifest? {
    let template = self["spec"]["template"]
    return template["spec"]["containers"].exists ? template : nil
  }

  /// All containers of the pods.
  var containers: [Manifest] {
    guard let spec = pod?["spec"] else { return [] }
    return spec["containers"].list + spec["initContainers"].list
  }
}

/// The manifests in `kubernetes/`.
enum Kubernetes {
  /// Every YAML file, by its path in the repository.
  static let files: [String] = {
    let folder = repositoryRoot.appendingPathComponent("kubernetes")
    let found = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return found.filter { $0.hasSuffix(".yaml") }.map { "kubernetes/\($0)" }.sorted()
  }()

  /// The objects of whole files: kustomizations and their patches are not among them.
  static func objects() throws -> [Manifest] {
    let patches = try kustomizations().flatMap { kustomization in
      kustomization["patches"].list.compactMap { $0["path"].string }
        .map { path(of: $0, from: kustomization.source) }
    }
    return try files.filter { !$0.hasSuffix("kustomization.yaml") && !patches.contains($0) }
      .flatMap { try Manifest.read($0) }
  }

  /// All kustomizations.
  static func kustomizations() throws -> [Manifest] {
    try files.filter { $0.hasSuffix("kustomization.yaml") }.flatMap { try Manifest.read($0) }
  }

  /// What a kustomization calls by a relative path, as a path in the repository.
  static func path(of name: String, from file: String) -> String {
    let folder = URL(fileURLWithPath: "/" + file).deletingLastPathComponent()
    return String(folder.appendingPathComponent(name).standardized.path.dropFirst())
  }
}

/// The versions that everything is made of.
enum Versions {
  static let all: [String: String] = {
    let file = repositoryRoot.appendingPathComponent("container/versions.env")
    let lines = (try? String(contentsOf: file, encoding: .utf8))?.split(separator: "\n") ?? []
    let pairs = lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: "=", maxSplits: 1) }
    return Dictionary(uniqueKeysWithValues: pairs.map { (String($0[0]), String($0[1])) })
  }()
}

/// Reads a file of the repository.
func text(of file: String) throws -> String {
  try String(contentsOf: repositoryRoot.appendingPathComponent(file), encoding: .utf8)
}
