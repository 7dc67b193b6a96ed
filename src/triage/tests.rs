//! Facts to verdicts, one line a case.
