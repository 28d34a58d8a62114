//! What a successor is told.

use super::*;
use crate::task::{New, Step};
use crate::testing::{append, repository, stamp};
use crate::{Store, StoreError};

fn me(name: &str) -> Me {
    Me { name: AgentName::new(name).unwrap(), role: None, capabilities: BTreeSet::new() }
}

fn drop(store: &Store, from: &str, to: &str, subject: &str, deadline: Option<Millis>) {
    let to = [Recipient::parse(to).unwrap()];
    let drop = bottle::Drop {
        to: &to,
        subject,
        text: "…",
        kind: "question",
        priority: None,
        deadline,
        in_reply_to: None,
    };
    let draft = bottle::draft(&drop).unwrap();
    store.apply::<StoreError>(Kind::Bottle, &stamp(from, 1), |_| Ok(vec![draft.clone()])).unwrap();
}

fn make(store: &Store, title: &str) -> EntryId {
    let new = New { title: title.to_owned(), ..New::default() };
    let draft = task::create(&new).unwrap();
    store.apply::<StoreError>(Kind::Task, &stamp("lead", 0), |_| Ok(vec![draft.clone()])).unwrap().ids[0]
}

#[test]
fn a_successor_finds_what_is_open_and_what_is_wrong() {
    let dir = repository(&[]);
    let store = Store::open(dir.path()).unwrap();
    let (held, stuck) = (make(&store, "mend <b>the</b> net"), make(&store, "weld"));
    make(&store, "paint");
    task::take(&store, &stamp("heron", 1), &task::alias(held), 10).unwrap();
    let block = |snapshot: &Snapshot<'_>| {
        let told = task::story(snapshot, stuck).unwrap();
        let heron = AgentName::new("heron").unwrap();
        Ok::<_, StoreError>(vec![
            task::step(&told, Step::Block, "no rod", &heron, crate::testing::NOW, (None, false)).unwrap(),
        ])
    };
    store.apply(Kind::Task, &stamp("heron", 2), block).unwrap();
    drop(&store, "tern", "heron", "Where is the net?", Some(crate::testing::NOW + 5));
    drop(&store, "heron", "gull", "Any rod left?", None);
    append(&store, "heron", 3, "looked for a rod");
    append(&store, "tern", 4, "slept");
    let now = crate::testing::NOW + 100;
    let handover = gather(
        &store.snapshot().unwrap(),
        &me("heron"),
        now,
        "Mind the tide.",
        &["the pump leaks".to_owned()],
    )
    .unwrap();
    let told = handover.markdown();
    let order = [
        "Mind the tide.",
        "## Known problems (4)",
        "- the pump leaks",
        "the lease on ",
        "is blocked (no rod): weld",
        "is overdue: Where is the net?",
        "## Claims (1)",
        "mend &lt;b>the&lt;/b> net, @heron until ",
        "## Open tasks (2)",
        "## Bottles to answer (1)",
        "## Bottles without an answer (1)",
        "heron → gull: Any rod left?",
        "## Done last (1)",
        "looked for a rod",
    ];
    let mut rest = told.as_str();
    for part in order {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is not where it should be in {told}"));
        rest = &rest[at + part.len()..];
    }
    assert!(!told.contains("slept"), "{told}");
    let draft = handover.draft(None).unwrap();
    assert!(draft.subject().starts_with("Handover of heron: 1 claim, 2 open tasks, 1 bottle to answer"));
    store.apply::<StoreError>(Kind::Bottle, &stamp("heron", 100), |_| Ok(vec![draft.clone()])).unwrap();
    let snapshot = store.snapshot().unwrap();
    let found = newest(&snapshot, &me("heron")).unwrap().unwrap();
    assert_eq!(found.text, told.as_bytes());
    assert_eq!(newest(&snapshot, &me("tern")).unwrap().map(|bottle| bottle.subject), None);
    // The next handover does not count the last one as a bottle to answer.
    let next = gather(&snapshot, &me("heron"), now, "", &[]).unwrap();
    assert_eq!((next.to_answer.len(), next.unanswered.len()), (1, 1));
    assert!(handover.file(found.id).trim_end().ends_with(MARK));
}
