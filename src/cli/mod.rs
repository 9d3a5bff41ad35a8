//! The command line: one file per subcommand, and no logic that the engine lacks.
//!
//! Results go to standard output, messages and progress to standard error. Exit codes: 0 when all
//! succeeded, 1 when any failed, 2 for wrong usage.

use std::process::ExitCode;

/// Parses the arguments and runs the subcommand, or opens the window when there is none.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
