//! What a fleet costs: requests, time and memory at two sizes in one run. It gates nothing; `tests/bench-octo.sh` runs it.

use super::repos;
use crate::octo::{Octo, TOKEN};
use crate::vessel::{Vessel, clean};
use std::process::Stdio;
use std::time::Duration;

/// What a command cost: requests, CPU and wall seconds, the most memory in MiB (0 where no GNU time is).
#[derive(Debug, Clone, Copy)]
struct Cost {
    requests: usize,
    cpu: f64,
    wall: f64,
    memory: f64,
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Runs `datum fleet`, with bash's clock around it, which tells milliseconds.
fn run(vessel: &Vessel, octo: &Octo, args: &[&str]) -> Cost {
    let script = r#"TIMEFORMAT="%3R %3U %3S"; if [ -x /usr/bin/time ]; then time /usr/bin/time -f %M "$@" 2>&1 >/dev/null; else time "$@" >/dev/null; fi"#;
    let program = std::env::var("DATUM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_datum").to_owned());
    octo.count();
    let mut command = clean("bash", vessel.path());
    command.args(["-c", script, "bash", &program, "-q", "fleet"]).args(args);
    command.env("GITHUB_API_URL", &octo.url).env("GH_ENTERPRISE_TOKEN", TOKEN).env("DATUM_AGENT", "a");
    command.env("DATUM_SECOND_MS", "10").stderr(Stdio::piped()).stdout(Stdio::piped());
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let numbers = |line: &str| line.split(' ').map(|word| word.parse().unwrap()).collect::<Vec<f64>>();
    let times = numbers(told.lines().last().unwrap_or_else(|| panic!("{args:?} told nothing")));
    let memory = String::from_utf8(output.stdout).unwrap();
    let memory = memory.lines().last().map_or(0.0, |line| numbers(line)[0]);
    Cost { requests: octo.count(), wall: times[0], cpu: times[1] + times[2], memory: memory / 1024.0 }
}

/// The least of the runs, each after `before`.
fn least(runs: u64, mut before: impl FnMut(), run: impl Fn() -> Cost) -> Cost {
    let all = (0..runs).map(|_| {
        before();
        run()
    });
    let less = |a: Cost, b: Cost| Cost {
        requests: b.requests,
        cpu: a.cpu.min(b.cpu),
        wall: a.wall.min(b.wall),
        memory: a.memory.max(b.memory),
    };
    all.reduce(less).unwrap()
}

/// The rows for a fleet of so many repositories.
fn costs(count: usize, runs: u64) -> [(&'static str, Cost); 4] {
    let (vessel, octo) = (Vessel::new(), Octo::start(repos(count)));
    octo.with(|world| world.latency = Duration::from_millis(number("LATENCY", 20)));
    let scan = ["scan", "--org", "fleet"];
    let full = least(runs, || {}, || run(&vessel, &octo, &[&scan[..], &["--full"]].concat()));
    let report = least(runs, || {}, || run(&vessel, &octo, &["report", "--org", "fleet"]));
    // A fiftieth changed.
    let change = || octo.with(|world| world.repos.iter_mut().step_by(50).for_each(|repo| repo.commits += 1));
    let again = least(runs, change, || run(&vessel, &octo, &scan));
    let tag = run(&vessel, &octo, &["tag", "--org", "fleet", "--add", "fleet", "--apply"]);
    [("scan", full), ("report", report), ("rescan, a fiftieth changed", again), ("tag all", tag)]
}

#[test]
#[ignore = "it measures; tests/bench-octo.sh runs it"]
fn what_a_fleet_costs() {
    let runs = number("RUNS", 5);
    let (small, large) = (909_u16, 10_000_u16);
    println!("| what | repositories | requests | CPU | wall | memory |\n|---|---|---|---|---|---|");
    for ((what, a), (_, b)) in costs(small.into(), runs).into_iter().zip(costs(large.into(), runs)) {
        for (count, cost) in [(small, a), (large, b)] {
            let Cost { requests, cpu, wall, memory } = cost;
            println!("| {what} | {count} | {requests} | {cpu:.3} s | {wall:.2} s | {memory:.0} MiB |");
        }
        #[expect(clippy::cast_precision_loss, reason = "these are small numbers")]
        let requests = b.requests as f64 / a.requests.max(1) as f64;
        println!(
            "| {what} | {:.1} × | {requests:.1} × | {:.1} × | {:.1} × | {:.1} × |",
            f64::from(large) / f64::from(small),
            b.cpu / a.cpu,
            b.wall / a.wall,
            b.memory / a.memory.max(1.0)
        );
    }
}
