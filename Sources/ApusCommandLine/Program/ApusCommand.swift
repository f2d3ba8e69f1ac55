import Apus
import ArgumentParser

/// The root of the command tree.
struct ApusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apus",
    abstract: "Fits, compares and uses machine-learning models, on every core.",
    discussion: """
      DATA is a file (CSV, TSV, .npy, .npz, LIBSVM; .gz is fine), its address
      (s3://, gs://, https://; these need Python), or the name of a bundled
      dataset.

      EXAMPLES
        apus datasets
        apus fit iris --estimator random-forest-classifier --output iris.model
        apus predict iris.model flowers.csv
        apus inspect iris.model flowers.csv
        apus evaluate digits --estimator logistic-regression --cv 5
        apus search diabetes --estimator ridge --param 'alpha=log(1e-3,1e3,7)'

      EXIT CODES
        0 done              2 wrong usage       3 unusable data or file
        4 some fits failed  5 all fits failed   130 interrupted (Ctrl-C)
      """,
    version: apusVersion,
    subcommands: [
      FitCommand.self, PredictCommand.self, EvaluateCommand.self, InspectCommand.self, SearchCommand.self,
      StudyCommand.self, DatasetsCommand.self, EstimatorsCommand.self, ClusterCommand.self,
      WorkerCommand.self,
    ])
}
