//! The program: words of the command line to a command, its outcome to an exit code.

use std::process::ExitCode;

use backplane::command;

/// Requests make many small allocations on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    command::main()
}
