//! The `datum` command line: parse, call, render.

mod args;
mod audit_view;
mod chart;
mod cmd;
mod edge;
mod escape;
mod fault;
mod github;
mod hardened;
#[cfg(test)]
mod help_tests;
mod html;
#[cfg(all(unix, feature = "vault"))]
mod keeper_http;
#[cfg(feature = "vault")]
mod keyring;
mod language;
mod lines;
mod out;
mod page;
mod passing;
mod profile;
mod record;
mod regular;
mod sandbox;
mod table;
mod time;

use std::process::ExitCode;

fn main() -> ExitCode {
    hardened::harden();
    let args = match args::Args::read(&cmd::names::arguments(std::env::args_os())) {
        Ok(args) => args,
        Err(error) => return out::usage(&error),
    };
    let mut out = out::Out::new(args.global.format.plain().unwrap_or(args::Format::Text), args.global.quiet);
    let code = cmd::run(&args, &mut out);
    out.finish(code)
}
