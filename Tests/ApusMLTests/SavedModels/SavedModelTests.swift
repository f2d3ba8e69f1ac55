import ApusData
import ApusLinearAlgebra
import ApusML
import ApusParallel
import Foundation
import Testing

@Suite struct SavedModelTests {
  private let folder: URL
  private let data: Dataset
  private let saved: SavedModel

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    data = try Dataset(
      csvText: "a,colour,b,y\n1,red,4,5\n2,blue,1,3\n3,red,2,7\n4,blue,9,1\n5,red,3,6\n",
      options: TableOptions(target: "y", targetKind: .values))
    var ridge = Ridge()
    ridge.alpha = 0.5
    let numbers = try data.withoutCategories()
    saved = SavedModel(
      estimator: AnyEstimator(ridge), model: try ridge.fit(numbers), fittedOn: numbers,
      seed: Seed(4),
      score: .init(metric: "r2", value: 0.5, measuredBy: "test.csv"))
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  @Test func whatIsReadIsWhatWasWritten() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try saved.write(to: path("a.model"))
    let again = try SavedModel(contentsOf: path("a.model"))
    #expect(again.estimator == saved.estimator)
    #expect(again.schema == saved.schema)
    #expect(again.training == saved.training)
    let numbers = try data.withoutCategories()
    #expect(try again.predictValues(numbers) == saved.predictValues(numbers))
    try again.write(to: path("b.model"))
    #expect(
      FileManager.default.contentsEqual(atPath: path("a.model"), andPath: path("b.model")))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
  }

  @Test func columnsAreFoundByTheirNames() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let reordered = try Dataset(
      features: Matrix([[4, 7, 1], [1, 7, 2]]),
      columns: ["b", "other", "a"].map { Feature(name: $0) })
    #expect(try saved.features(of: reordered) == Matrix([[1, 4], [2, 1]]))
    let incomplete = try Dataset(
      features: Matrix([[4, 7]]), columns: ["b", "A_"].map { Feature(name: $0) })
    #expect {
      try saved.features(of: incomplete)
    } throws: { error in
      (error as? ApusError)?.kind == .data && "\(error)".contains("'a'")
    }
  }

  @Test func categoriesAreTranslated() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let trained = try Dataset(
      features: Matrix([[0], [1]]),
      columns: [Feature(name: "colour", categories: ["blue", "red"])],
      target: .values([1, 2]))
    let model = SavedModel(
      estimator: AnyEstimator(Ridge()), model: saved.model, fittedOn: trained, seed: Seed(0))
    let rows = try Dataset(
      features: Matrix([[0], [1], [2], [.nan]]),
      columns: [Feature(name: "colour", categories: ["green", "blue", "red"])])
    let features = try model.features(of: rows)
    #expect(features[0, 0].isNaN && features[3, 0].isNaN)
    #expect(features[1, 0] == 0 && features[2, 0] == 1)
    let numbers = try Dataset(features: Matrix([[5]]), columns: [Feature(name: "colour")])
    #expect(throws: ApusError.self) { try model.features(of: numbers) }
  }

  @Test func anEstimatorThatThisProgramDoesNotKnowIsNamed() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    EstimatorRegistry.shared.register(Visitor.self)
    let visiting = SavedModel(
      estimator: AnyEstimator(Visitor()), model: saved.model, fittedOn: data, seed: Seed(0))
    try visiting.write(to: path("visitor.model"))
    // As another program would have written it: the same file with a name that nobody has registered.
    let lines = try String(contentsOfFile: path("visitor.model"), encoding: .utf8)
      .split(separator: "\n", maxSplits: 1)
    let contents = lines[1].replacing("\"visitor\"", with: "\"stranger\"")
    let header =
      #"{"bytes":\#(contents.utf8.count),"format":"apus-model","#
      + #""sha256":"\#(Digest(of: contents.utf8).hexadecimal)","version":1}"#
    try Data("\(header)\n\(contents)".utf8).write(
      to: folder.appendingPathComponent("stranger.model"))
    #expect {
      try SavedModel(contentsOf: path("stranger.model"))
    } throws: { error in
      (error as? ApusError)?.kind == .format && "\(error)".contains("'stranger'")
    }
  }

  @Test func aFileIsReplacedWholeOrNotAtAll() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try AtomicFile.write("old".utf8, to: path("file"))
    try FileManager.default.createSymbolicLink(
      atPath: path("link"), withDestinationPath: path("file"))
    try AtomicFile.write("new".utf8, to: path("link"))
    #expect(try String(contentsOfFile: path("file"), encoding: .utf8) == "new")
    #expect(throws: ApusError.self) { try AtomicFile.write("x".utf8, to: "/dev/full") }
    try AtomicFile.write("x".utf8, to: "/dev/null")
    #expect(throws: ApusError.self) { try AtomicFile.checkWritable(folder.path) }
    #expect(throws: ApusError.self) { try AtomicFile.checkWritable(path("none/file")) }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["file", "link"])
  }
}

extension Dataset {
  fileprivate func withoutCategories() throws -> Dataset {
    let kept = columns.indices.filter { !columns[$0].isCategorical }
    return replacingFeatures(
      Matrix((0..<rowCount).map { row in kept.map { features[row, $0] } }),
      columns: kept.map { columns[$0] })
  }
}

/// An estimator of the test's own.
private struct Visitor: Estimator {
  static let name = "visitor"
  static let summary = "Comes from elsewhere."
  static let task = LearningTask.regression
  static let hyperparameters: [Hyperparameter<Visitor>] = []

  func fit(_ data: Dataset, _ context: FitContext) throws -> Ridge.Model {
    try Ridge().fit(data, context)
  }
}
