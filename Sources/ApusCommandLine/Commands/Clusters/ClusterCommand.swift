import ArgumentParser

/// `apus cluster`: a Dask cluster on this machine, for trying out.
struct ClusterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cluster",
    abstract: "Start, look at and end a Dask cluster on this machine.",
    discussion: """
      Any Dask cluster will do for --backend dask; these commands run a small one
      on this machine. They need Python with Dask, and Bokeh for its dashboard:
      python3 -m pip install distributed bokeh. APUS_PYTHON names another interpreter.

      EXAMPLES
        apus cluster up --workers 4
        apus search digits --estimator svc --param C=1,10 --backend dask
        apus cluster down
      """,
    subcommands: [
      ClusterUpCommand.self, ClusterStatusCommand.self, ClusterLogsCommand.self, ClusterDownCommand.self,
      ClusterCertsCommand.self,
    ])
}
