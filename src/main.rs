//! The `partita` binary: parses the arguments and starts the window or the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    partita::cli::main()
}
