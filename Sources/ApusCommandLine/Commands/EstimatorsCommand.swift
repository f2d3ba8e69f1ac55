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
    var table = TextTable(("Estimator", .left), ("Task", .left), ("Parameters", .left))
    for description in descriptions {
      let parameters = description.parameters.map { "\($0.name)=\($0.default)" }
      table.add(description.name, description.task.rawValue, parameters.joined(separator: " "))
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
    var range: String
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
      let isNumber = parameter.type.contains("number")
      return Parameter(
        name: parameter.name, aliases: parameter.aliases, type: parameter.type,
        range: isNumber ? parameter.range.description : "", minimum: parameter.range.minimum,
        maximum: parameter.range.maximum, default: parameter.value(in: standard),
        summary: parameter.summary)
    }
  }

  var text: String {
    var table = TextTable(
      ("  Parameter", .left), ("Default", .left), ("Type", .left), ("Range", .left), ("Also", .left))
    for parameter in parameters {
      table.add(
        "  " + parameter.name, parameter.default.description, parameter.type, parameter.range,
        parameter.aliases.joined(separator: ", "))
    }
    let explanations = parameters.map { "  \($0.name): \($0.summary)\n" }.joined()
    return "\(name) (\(task.rawValue))\n  \(summary)\n\n"
      + (parameters.isEmpty ? "  No parameters.\n" : table.text() + "\n" + explanations)
  }
}
