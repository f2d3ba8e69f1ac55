/// The tables of a study file.
///
/// A score belongs to (candidate digest, fold, data digest, seed, splits, metrics): the study holds the last
/// four, the candidate its digest, the fit its fold. Scores are the bytes of Doubles, because SQLite's numbers
/// know neither NaN nor negative zero. A session counts the fits that it brought although they were finished
/// (`repeated`): a process that was only slow does so, an interrupted search does not. No number is given twice, so
/// that a search that has read up to some fit misses none, whatever is removed beside it. A study of a part of another's
/// rows names it (`whole`), and is removed with it.
enum StudySchema {
  /// What a file of version 1 lacks.
  static let additionsToVersion1 = """
    ALTER TABLE study ADD COLUMN whole INTEGER REFERENCES study(id) ON DELETE CASCADE;
    ALTER TABLE study ADD COLUMN part TEXT;
    ALTER TABLE session ADD COLUMN note TEXT;
    """

  static let statements = """
    CREATE TABLE study(
      id INTEGER PRIMARY KEY AUTOINCREMENT, created REAL NOT NULL, version TEXT NOT NULL, task TEXT NOT NULL,
      refit_metric TEXT NOT NULL, note TEXT, identity TEXT NOT NULL,
      whole INTEGER REFERENCES study(id) ON DELETE CASCADE, part TEXT);
    CREATE TABLE candidate(
      id INTEGER PRIMARY KEY AUTOINCREMENT, study INTEGER NOT NULL REFERENCES study(id) ON DELETE CASCADE,
      digest BLOB NOT NULL, estimator TEXT NOT NULL, parameters TEXT NOT NULL);
    CREATE UNIQUE INDEX candidate_digest ON candidate(study, digest);
    CREATE TABLE varied(
      study INTEGER NOT NULL REFERENCES study(id) ON DELETE CASCADE, estimator TEXT NOT NULL,
      parameter TEXT NOT NULL, PRIMARY KEY(study, estimator, parameter)) WITHOUT ROWID;
    CREATE TABLE session(
      id INTEGER PRIMARY KEY AUTOINCREMENT, study INTEGER NOT NULL REFERENCES study(id) ON DELETE CASCADE,
      world TEXT NOT NULL, process INTEGER NOT NULL, process_start INTEGER NOT NULL, started REAL NOT NULL,
      heartbeat REAL NOT NULL, ended REAL, held BLOB, repeated INTEGER NOT NULL DEFAULT 0, note TEXT);
    CREATE TABLE fit(
      id INTEGER PRIMARY KEY AUTOINCREMENT, candidate INTEGER NOT NULL REFERENCES candidate(id) ON DELETE CASCADE,
      fold INTEGER NOT NULL, session INTEGER NOT NULL, worker TEXT, finished REAL NOT NULL, test BLOB, train BLOB,
      fit_seconds REAL, score_seconds REAL, iterations INTEGER, converged INTEGER, residual REAL,
      reason TEXT, message TEXT);
    CREATE UNIQUE INDEX fit_key ON fit(candidate, fold);
    CREATE INDEX fit_failure ON fit(candidate) WHERE reason IS NOT NULL;
    CREATE TABLE decision(
      study INTEGER NOT NULL REFERENCES study(id) ON DELETE CASCADE, search TEXT NOT NULL, step INTEGER NOT NULL,
      made REAL NOT NULL, decision TEXT NOT NULL, PRIMARY KEY(study, search, step)) WITHOUT ROWID;
    """
}
