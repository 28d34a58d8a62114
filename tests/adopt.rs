//! `datum compact --adopt` between clones and real servers.

use crate::servers::{Server, clone_of};
use crate::vessel::{NOW, Vessel};

const YEAR: u64 = 365 * 24 * 60 * 60 * 1000;

fn later(vessel: &Vessel, args: &[&str]) -> String {
    let output = vessel.command(args).env("DATUM_NOW", (NOW + YEAR).to_string()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn journal(vessel: &Vessel) -> String {
    vessel.datum(&["journal", "--all"]).ok()
}

#[test]
fn refs_stay_few_and_who_was_away_catches_up_through_every_kind_of_server() {
    for server in [Some(Server::path()), Server::daemon(), Server::http()].into_iter().flatten() {
        let clones: Vec<_> = (0..4).map(|_| clone_of(&server)).collect();
        for (n, clone) in clones.iter().enumerate() {
            clone.datum(&["journal", "LOG", &format!("clone {n}")]).ok();
            clone.datum(&["bottle", "drop", "b", &format!("bottle {n}")]).ok();
            clone.datum(&["sync"]).ok();
        }
        let keeper = clone_of(&server);
        keeper.datum(&["sync"]).ok();
        let before = journal(&keeper);
        assert_eq!(keeper.datum(&["compact", "--adopt"]).ok(), "", "nobody is idle yet");
        let said = later(&keeper, &["compact", "--adopt", "--idle", "300 days"]);
        assert_eq!(said.lines().count(), 2, "{said}");
        assert_eq!(journal(&keeper), before);
        let said = later(&keeper, &["sync"]);
        assert!(said.contains("went 4 journal logs adopted by a-"), "{said}");
        assert_eq!(server.refs().lines().count(), 2, "{}", server.refs());
        // The first was away all the time, and says something again.
        clones[0].datum(&["journal", "LOG", "back again"]).ok();
        later(&clones[0], &["sync"]);
        assert_eq!(journal(&clones[0]).lines().count(), 5);
        later(&keeper, &["sync"]);
        assert_eq!(journal(&keeper), journal(&clones[0]));
        let size = keeper.datum(&["size", "--format", "json"]).json();
        let adopted = size["parts"].as_array().unwrap().iter().find(|part| part["name"] == "adopted");
        assert_eq!(adopted.unwrap()["refs"], 2);
        for vessel in [&keeper, &clones[0]] {
            vessel.datum(&["verify"]).ok();
            vessel.datum(&["doctor"]).ok();
            vessel.fsck();
        }
        server.fsck();
    }
}

#[test]
fn what_cannot_be_adopted_is_refused() {
    let vessel = Vessel::new();
    vessel.datum(&["compact", "--adopt", "--idle", "soon"]).fails(2);
    vessel.datum(&["compact", "--idle", "3 days"]).fails(2);
    vessel.datum(&["compact", "--adopt", "--ephemeral"]).fails(2);
    assert_eq!(vessel.datum(&["compact", "--adopt"]).ok(), "");
}
