import Apus
import ArgumentParser

/// `apus estimators`: what there is to fit, with every parameter.
struct EstimatorsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estimators",
    abstract: "List the estimators and their parameters.",
    discussion: """
      A transformer before an estimator makes a pipeline: standard-scaler+logistic-regression.

      EXAMPLES
        apus estimators
        apus estimators ridge
        apus estimators --json
      """)

  @Argument(
    help: ArgumentHelp("Only these estimators, with every parameter.", valueName: "name"),
    completion: .estimators)
  var names: [String] = []

  @Flag(help: "Print the list as one JSON object.")
  var json = false

  func run() async throws {
    let types = try names.isEmpty ? EstimatorRegistry.shared.all : names.map(EstimatorRegistry.shared.type)
    let descriptions = types.map { EstimatorDescription($0) }
    if json {
      try StandardOutput.write(json: ["estimators": descriptions])
    } else if names.isEmpty {
      try StandardOutput.write(overview(descriptions))
    } else {
      try StandardOutput.write(descriptions.map(\.text).joined(separator: "\n"))
    }
  }

  private func overview(_ descriptions: [EstimatorDescription]) -> String {
    var table = TextTable(("Estimator", .left), ("Task", .left), ("What it does", .left))
    for description in descriptions {
      table.add(description.name, description.task.rawValue, description.summary)
    }
    let example = descriptions.first.map { "\nEvery parameter: apus estimators \($0.name)\n" } ?? ""
    return table.text(width: Terminal.standardOutput.width) + example
  }
}

/// An estimator as it is listed.
private struct EstimatorDescription: Encodable {
  struct Parameter: Encodable {
    var name: String
    var aliases: [String]
    var type: String
    var range: String?
    var minimum: Double?
    var maximum: Double?
    var `default`: ParameterValue
    var summary: String
  }

  var name: String
  var summary: String
  var task: LearningTask
  var parameters: [Parameter]

  init<E: Estimator>(_ type: E.Type) {
    name = type.name
    summary = type.summary
    task = type.task
    let standard = type.init()
    parameters = type.hyperparameters.map { parameter in
      Parameter(
        name: parameter.name, aliases: parameter.aliases, type: parameter.type,
        range: parameter.range == .any ? nil : parameter.range.description, minimum: parameter.range.minimum,
        maximum: parameter.range.maximum, default: parameter.value(in: standard),
        summary: parameter.summary)
    }
  }

  var text: String {
    var text = "\(name) (\(task.rawValue))\n  \(summary)\n"
    for parameter in parameters {
      let aliases = parameter.aliases.isEmpty ? "" : " (\(parameter.aliases.joined(separator: ", ")))"
      let range = parameter.range.map { ", \($0)" } ?? ""
      text += "\n  \(parameter.name)\(aliases) = \(parameter.default)\n"
      text += "      \(parameter.summary)\n      Takes \(parameter.type)\(range).\n"
    }
    return text + (parameters.isEmpty ? "\n  No parameters.\n" : "")
  }
}
