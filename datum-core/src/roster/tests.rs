//! The lives of agents, and who is seen.

use super::*;
use crate::testing::{NOW, append, git, repository, stamp};
use crate::{Store, StoreError};

fn name(text: &str) -> AgentName {
    AgentName::new(text).unwrap()
}

fn take(store: &Store, by: &str, at: Millis, agent: &str, step: Step) -> Result<bool, String> {
    let applied = store.apply::<StoreError>(Kind::Agent, &stamp(by, at), |snapshot| {
        let agents = read(snapshot).unwrap();
        let agent = agents.get(&name(agent)).cloned().unwrap_or_else(|| Agent::new(name(agent)));
        let failed = |error: RosterError| StoreError::Log { name: String::new(), message: error.to_string() };
        Ok(agent.step(step, "why").map_err(failed)?.into_iter().collect())
    });
    applied.map(|applied| !applied.ids.is_empty()).map_err(|error| error.to_string())
}

#[test]
fn a_life_goes_by_its_steps_and_the_later_word_counts() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let refused = take(&store, "heron", 0, "heron", Step::Restart).unwrap_err();
    assert!(refused.contains("heron is uninitialized and cannot be restarted"), "{refused}");
    for (at, by, step, wrote) in [
        (1, "heron", Step::Onboard, true),
        (2, "heron", Step::Onboard, false),
        (3, "heron", Step::Start, true),
        (4, "heron", Step::Start, false),
        (5, "heron", Step::Idle, true),
        (6, "lead", Step::Retire, true),
        (7, "heron", Step::Retire, false),
    ] {
        assert_eq!(take(&store, by, at, "heron", step), Ok(wrote), "{step:?}");
    }
    assert!(take(&store, "heron", 8, "heron", Step::Start).unwrap_err().contains("is retired"));
    assert!(take(&store, "heron", 8, "heron", Step::Idle).is_err());
    let heron = read(&store.snapshot().unwrap()).unwrap().remove(&name("heron")).unwrap();
    assert_eq!((heron.state, heron.by.as_deref(), heron.starts), (State::Retired, Some("lead"), 1));
    assert_eq!((heron.note.as_str(), heron.seen), ("why", Some(NOW + 5)));
    assert_eq!(take(&store, "heron", 9, "heron", Step::Restart), Ok(true));
    let states: Vec<_> =
        history(&store.snapshot().unwrap(), &name("heron")).iter().map(|said| said.state).collect();
    assert_eq!(states, [State::Onboarded, State::Active, State::Idle, State::Retired, State::Active]);
}

#[test]
fn who_is_seen_is_who_wrote_or_whose_vessel_moved() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    append(&store, "tern", 0, "at work");
    std::fs::write(dir.path().join("CAPABILITY.toml"), "[agent]\nname = \"Gull\"\n").unwrap();
    git(dir.path(), &["add", "-A"]);
    git(dir.path(), &["commit", "-q", "-m", "declare"]);
    let agents = read(&store.snapshot().unwrap()).unwrap();
    let gull = &agents[&name("gull")];
    assert_eq!((gull.seen, gull.state), (Some(NOW), State::Uninitialized));
    let tern = &agents[&name("tern")];
    let at = |age| tern.liveness(NOW + age);
    assert_eq!(
        [at(0), at(LIVE), at(LIVE + 1), at(QUIET), at(QUIET + 1)],
        [Liveness::Live, Liveness::Live, Liveness::Quiet, Liveness::Quiet, Liveness::Silent]
    );
    assert_eq!(Agent::new(name("x")).liveness(NOW), Liveness::Unseen);
}
