import Apus
import ArgumentParser

/// `apus datasets`: the datasets that come with the program.
struct DatasetsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datasets",
    abstract: "List the bundled datasets.",
    discussion: """
      A bundled dataset's name can stand wherever a command takes DATA.

      EXAMPLES
        apus datasets
        apus datasets --json
      """)

  @Flag(help: "Print the list as one JSON object.")
  var json = false

  func run() async throws {
    let descriptions = try BundledDataset.all.map(DatasetDescription.init)
    if json { return try StandardOutput.write(json: ["datasets": descriptions]) }
    var table = TextTable(
      ("Name", .left), ("Rows", .right), ("Features", .right), ("Task", .left), ("Target", .left),
      ("What it is", .left))
    for dataset in descriptions {
      table.add(
        dataset.name, Quantities.count(dataset.rows), "\(dataset.features)", dataset.task.rawValue,
        dataset.target, dataset.summary)
    }
    try StandardOutput.write(table.text(width: Terminal.standardOutput.width))
  }
}

/// A bundled dataset as it is listed.
private struct DatasetDescription: Encodable {
  var name: String
  var rows: Int
  var features: Int
  var classes: Int?
  var task: LearningTask
  var target: String
  var file: String
  var summary: String

  init(_ dataset: BundledDataset) throws {
    let data = try Dataset(bundled: dataset.name)
    name = dataset.name
    rows = data.rowCount
    features = data.featureCount
    if case .classes(_, let labels) = data.target {
      (task, classes) = (.classification, labels.count)
    } else {
      (task, classes) = (.regression, nil)
    }
    target = dataset.target
    file = "Datasets/\(dataset.fileName)"
    summary = dataset.summary
  }
}
