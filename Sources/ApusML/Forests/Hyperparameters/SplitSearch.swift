/// Which thresholds a tree considers for a numeric column.
public enum SplitSearch: String, ParameterChoice {
  /// ``exact``, but nodes of many rows choose their feature by ``histogram``: as good as exact splits, also where the
  /// values of a column spread over many orders of magnitude, in a little less time. Where no column has more values
  /// than `maxBins`, all three are the same.
  case automatic
  /// Between any two neighbouring values of a column, as long as it has no more than 65,535 distinct ones;
  /// a column with more is cut into as many ranges of equal weight.
  case exact
  /// Between the bins of a column: one bin a value where there are no more values than `maxBins`, else ranges
  /// of about equal weight.
  case histogram
}
