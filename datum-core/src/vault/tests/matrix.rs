//! Random grants against a plain model: an agent opens exactly what it was granted, over all versions and every wrap.

use super::*;
use crate::vault::{fold, seal};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Set(usize),
    Grant(usize, usize),
    Revoke(usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        (0usize..3).prop_map(Step::Set),
        (0usize..3, 0usize..3).prop_map(|(what, who)| Step::Grant(what, who)),
        (0usize..3, 0usize..3).prop_map(|(what, who)| Step::Revoke(what, who)),
    ];
    prop::collection::vec(one, 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// An agent opens exactly what it is granted, and no key opens any value that it was never sealed to.
    #[test]
    fn random_grants(steps in steps()) {
        const WHAT: [&str; 3] = ["x", "y", "z"];
        const WHO: [&str; 3] = ["b", "c", "d"];
        let clone = Clone::founded(&["a", "b", "c", "d"]);
        for who in WHO {
            clone.take_in(who, Role::Member);
        }
        // The plain model: who may open, and who could ever open which value.
        let mut granted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut values: BTreeMap<&str, Vec<(String, BTreeSet<&str>)>> = BTreeMap::new();
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Set(what) => {
                    let what = WHAT[*what];
                    let value = format!("value {number}");
                    clone.set("a", what, &value).unwrap();
                    let to = granted.entry(what).or_insert_with(|| BTreeSet::from(["a"])).clone();
                    values.entry(what).or_default().push((value, to));
                }
                Step::Grant(what, who) => {
                    let (what, who) = (WHAT[*what], WHO[*who]);
                    let done = clone.grant("a", what, who).is_ok();
                    prop_assert_eq!(done, granted.contains_key(what));
                    if let Some(set) = granted.get_mut(what) {
                        set.insert(who);
                        values.get_mut(what).unwrap().last_mut().unwrap().1.insert(who);
                    }
                }
                Step::Revoke(what, who) => {
                    let (what, who) = (WHAT[*what], WHO[*who]);
                    prop_assert_eq!(clone.revoke("a", what, who).is_ok(), granted.contains_key(what));
                    if let Some(set) = granted.get_mut(what) {
                        set.remove(who);
                    }
                }
            }
        }
        let vault = clone.read().unwrap();
        for what in WHAT {
            let Some(all) = values.get(what) else {
                prop_assert!(vault.secret(&name(what)).is_err());
                continue;
            };
            let secret = vault.secret(&name(what)).unwrap();
            for who in ["a", "b", "c", "d"] {
                let keys = &clone.keys[who];
                let opened = vault.open(&name(what), None, keys).ok().map(|value| value.to_vec());
                let may = granted[what].contains(who);
                prop_assert_eq!(opened, may.then(|| all.last().unwrap().0.clone().into_bytes()));
                for (version, (_, sealed_to)) in secret.versions.iter().zip(all) {
                    prop_assert_eq!(vault.data_key(version, keys).is_ok(), sealed_to.contains(who));
                }
                // Every wrap there is, tried with every key under every label.
                for version in &secret.versions {
                    let (binding, sealed) = vault.sealed(version).unwrap();
                    for (to, wrap) in fold::wraps(vault.counting(), version.entry) {
                        let opens = seal::unwrap(wrap, &binding, &seal::digest(sealed), keys).is_ok();
                        prop_assert_eq!(opens, to == who);
                    }
                }
            }
        }
    }
}
