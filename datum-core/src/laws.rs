//! Laws: what holds for every story, not only for the ones that were thought of.

use crate::testing::{NOW, fsck, git, repository, stamp};
use crate::{AgentName, Draft, EntryId, Kind, Snapshot, Stamp, Store, StoreError, undo};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// One step of a story.
#[derive(Debug, Clone)]
enum Step {
    /// A writer appends so many entries at once.
    Append { writer: usize, count: usize },
    /// A writer hides the entry at this place among all, in their order.
    Undo { writer: usize, target: usize },
    /// git packs refs.
    PackRefs,
    /// git packs objects.
    Repack,
    /// The repository is opened anew.
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..3, prop_oneof![8 => 1usize..4, 1 => 100usize..300])
            .prop_map(|(writer, count)| Step::Append { writer, count }),
        3 => (0usize..3, 0usize..1000).prop_map(|(writer, target)| Step::Undo { writer, target }),
        1 => Just(Step::PackRefs),
        1 => Just(Step::Repack),
        1 => Just(Step::Reopen),
    ]
}

/// What the store must hold, kept in memory: the entries in the order they were written.
#[derive(Default)]
struct Model {
    entries: Vec<(EntryId, String, Option<EntryId>)>,
}

impl Model {
    fn visible(&self) -> Vec<String> {
        // Each undo hides its target unless a later one hides the undo.
        let mut hidden: BTreeMap<EntryId, bool> = BTreeMap::new();
        for (id, _, target) in self.entries.iter().rev() {
            if let Some(target) = target
                && !hidden.get(id).copied().unwrap_or(false)
            {
                hidden.insert(*target, true);
            }
        }
        let shown = |(id, _, target): &&(EntryId, String, Option<EntryId>)| {
            target.is_none() && !hidden.contains_key(id)
        };
        self.entries.iter().filter(shown).map(|(_, text, _)| text.clone()).collect()
    }
}

fn visible(store: &Store) -> Vec<String> {
    let snapshot = store.snapshot().unwrap();
    let mut found = Vec::new();
    undo::walk_visible(&snapshot, Kind::Journal, |view| {
        found.push(view.text().to_owned());
        ControlFlow::Continue(())
    });
    assert_eq!(snapshot.damage(), []);
    found.reverse();
    found
}

fn who(writer: usize, at: usize) -> Stamp {
    stamp(["a", "b", "c"][writer], at as u64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_story_of_appends_undos_packing_and_reopening_is_kept_whole(steps in prop::collection::vec(step(), 1..16)) {
        let dir = repository(&[]);
        let mut store = Store::open(dir.path()).unwrap();
        let mut model = Model::default();
        for (at, step) in steps.into_iter().enumerate() {
            match step {
                Step::Append { writer, count } => {
                    let texts: Vec<_> = (0..count).map(|n| format!("{at} {n}")).collect();
                    let drafts = |_: &Snapshot<'_>| Ok(texts.iter().map(|t| Draft::from_text(t).unwrap()).collect());
                    let done = store.apply::<StoreError>(Kind::Journal, &who(writer, at), drafts).unwrap();
                    model.entries.extend(done.ids.into_iter().zip(texts).map(|(id, text)| (id, text, None)));
                }
                Step::Undo { writer, target } => {
                    let Some(index) = target.checked_rem(model.entries.len()) else { continue };
                    let target = model.entries[index].0;
                    let draft = undo::draft(target, "x").unwrap();
                    let done = store
                        .apply::<StoreError>(Kind::Journal, &who(writer, at), |_| Ok(vec![draft.clone()]))
                        .unwrap();
                    model.entries.push((done.ids[0], String::new(), Some(target)));
                }
                Step::PackRefs => {
                    git(dir.path(), &["pack-refs", "--all"]);
                }
                Step::Repack => {
                    git(dir.path(), &["repack", "-d", "-q", "--geometric=2"]);
                }
                Step::Reopen => store = Store::open(dir.path()).unwrap(),
            }
        }
        prop_assert_eq!(visible(&store), model.visible());
        prop_assert_eq!(crate::doctor::examine(&store).unwrap(), []);
        let all = store.snapshot().unwrap().entries(Kind::Journal);
        let ids: Vec<_> = model.entries.iter().map(|(id, ..)| *id).collect();
        prop_assert_eq!(all.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids);
        fsck(dir.path());
    }

    #[test]
    fn the_order_in_which_refs_are_listed_changes_nothing(
        entries in prop::collection::vec((0usize..5, 0u64..6), 1..30),
        order in Just((0usize..5).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let dir = repository(&[]);
        let store = Store::open(dir.path()).unwrap();
        for (n, (writer, at)) in entries.iter().enumerate() {
            let agent = AgentName::new(&format!("agent{writer}")).unwrap();
            let draft = Draft::from_text(&n.to_string()).unwrap();
            store.apply::<StoreError>(Kind::Journal, &Stamp::new(agent, NOW + at), |_| Ok(vec![draft.clone()])).unwrap();
        }
        let order_of = |store: &Store| {
            let entries = store.snapshot().unwrap().entries(Kind::Journal);
            entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
        };
        let before = (order_of(&store), store.snapshot().unwrap().id());
        // The same refs, made in another order, some packed and some not.
        let listed = git(dir.path(), &["for-each-ref", "--format=%(refname) %(objectname)", "refs/datum"]);
        let refs: Vec<_> = listed.lines().filter_map(|line| line.split_once(' ')).collect();
        for (name, _) in &refs {
            git(dir.path(), &["update-ref", "-d", name]);
        }
        for (round, index) in order.iter().enumerate() {
            if let Some((name, id)) = refs.get(*index) {
                git(dir.path(), &["update-ref", name, id]);
            }
            if round == 2 {
                git(dir.path(), &["pack-refs", "--all"]);
            }
        }
        let store = Store::open(dir.path()).unwrap();
        prop_assert_eq!((order_of(&store), store.snapshot().unwrap().id()), before);
    }
}
