//! The `partita` binary: reads the arguments and hands over to the window or the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    partita::cli::main()
}
