/// Which thresholds a tree considers for a numeric column.
public enum SplitSearch: String, ParameterChoice {
  /// ``histogram``, as its trees are as good and grown in a fraction of the time.
  case automatic
  /// Between any two neighbouring values of a column, as long as it has no more than 65,535 distinct ones;
  /// a column with more is cut into as many ranges of equal weight.
  case exact
  /// Between the bins of a column: one bin a value where there are no more values than `maxBins`, else ranges
  /// of about equal weight.
  case histogram
}
