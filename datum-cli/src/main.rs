//! The `datum` command line: parse, call, render.

mod args;
mod cmd;
mod edge;
mod fault;
mod github;
mod html;
mod out;
mod record;
mod time;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return out::usage(&error),
    };
    let mut out = out::Out::new(args.global.format.plain().unwrap_or(args::Format::Text), args.global.quiet);
    let code = cmd::run(&args, &mut out);
    out.finish(code)
}
