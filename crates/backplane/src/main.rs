//! The program: words of the command line to a command, its outcome to an exit code.

use std::process::ExitCode;

use backplane::command;

fn main() -> ExitCode {
    command::main()
}
