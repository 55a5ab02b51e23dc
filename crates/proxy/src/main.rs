//! Arguments in, exit code out.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use ligase::args::{Args, Command, Exit};
use ligase::command;
use tikv_jemallocator::Jemalloc;

/// What a flood of connections took goes back to the system within seconds of its end; the C
/// library's allocator keeps it (docs/decisions/0009-an-allocator-that-gives-back.md).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let exit = match Args::read(std::env::args_os()) {
        Ok(args) => match args.command {
            Command::Run(file) => command::run::run(&file.config),
            Command::Validate(file) => command::validate::validate(&file.config),
            Command::Capture(what) => command::capture::capture(&what),
            Command::Records(records) => command::records::records(&records),
            Command::Check(check) => command::check::run(&check),
            Command::Explain(explain) => command::explain::explain(&explain),
            Command::Retry(retry) => command::retry::retry(&retry),
            Command::Reload(port) => command::reload::reload(&port),
            Command::Ready(port) => command::ready::ready(&port),
            Command::Drain(port) => command::drain::drain(&port),
            Command::Demo(demo) => command::demo::run(&demo),
            Command::Inject(inject) => command::inject::run(&inject),
            Command::Completions(which) => command::completions::completions(&which),
            Command::Man(man) => command::man::man(&man),
        },
        Err(instead) => {
            let _ = instead.print();
            Exit::instead(&instead)
        }
    };
    exit.code().into()
}
