//! The fleet at a host on loopback: what is asked, what is recorded, what is changed, and what happens when it fails.

mod change;
mod cost;
mod limits;
mod report;
mod rest;
mod scan;
mod tls;
mod token;

use crate::octo::{Octo, Repo, TOKEN};
use crate::vessel::{Ran, Vessel};
use serde_json::Value;
use std::process::Command;

/// A second of waiting, milliseconds.
const SECOND: u64 = 10;

pub(crate) fn command(vessel: &Vessel, octo: &Octo, args: &[&str]) -> Command {
    let mut command = vessel.command(&[&["fleet"], args].concat());
    command
        .env("GITHUB_API_URL", &octo.url)
        .env("GH_ENTERPRISE_TOKEN", TOKEN)
        .env("DATUM_SECOND_MS", SECOND.to_string());
    command
}

fn fleet(vessel: &Vessel, octo: &Octo, args: &[&str]) -> Ran {
    run(&mut command(vessel, octo, args))
}

/// Runs a command, which must not tell the token.
pub(crate) fn run(command: &mut Command) -> Ran {
    let ran = Ran::of(&command.output().unwrap());
    assert!(!format!("{ran:?}").contains("SECRET"), "the token is told: {ran:?}");
    ran
}

pub(crate) fn repos(count: usize) -> Vec<Repo> {
    (0..count).map(|n| Repo::new(&format!("vessel-{n:05}"))).collect()
}

pub(crate) fn scan(vessel: &Vessel, octo: &Octo) -> Value {
    let ran = fleet(vessel, octo, &["scan", "--org", "fleet", "--format", "json"]);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn unknown(json: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(json).unwrap();
    value["report"]["unknown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}
