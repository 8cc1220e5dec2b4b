//! The program: words of the command line to a command, its outcome to an exit code.

use std::process::ExitCode;

use backplane::command;

/// Requests make many small allocations on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// On a thread of our own: how large the first one's stack is, is nobody's promise.
fn main() -> ExitCode {
    let thread = std::thread::Builder::new().name("main".to_owned()).stack_size(command::STACK_BYTES);
    match thread.spawn(command::main).map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => ExitCode::FAILURE,
        Err(_) => command::main(),
    }
}
