use proptest::prelude::*;

use super::*;

fn shown(subject: &str) -> String {
    match parse(subject) {
        Ok(None) => "not I2I".to_owned(),
        Err(miss) => format!("near miss: {miss}; {}", miss.hint()),
        Ok(Some(s)) => {
            let warnings: Vec<_> = s.warnings().iter().map(ToString::to_string).collect();
            format!(
                "{} {:?} {:?} {:?} {:?} {warnings:?}",
                s.kind(),
                s.code(),
                s.scope(),
                s.summary(),
                s.sender_action()
            )
        }
    }
}

#[test]
fn the_three_grammars_are_read() {
    insta::assert_snapshot!(shown("[I2I:PROPOSAL] src/memory.py — add a cache"), @r#"PROPOSAL None Some("src/memory.py") "add a cache" None []"#);
    insta::assert_snapshot!(shown("[I2I:TASK:TSK] jetson — test it - soon"), @r#"TASK Some("TSK") Some("jetson") "test it - soon" None []"#);
    insta::assert_snapshot!(shown("[I2I:SIGNAL] datum:genesis — first light"), @r#"SIGNAL None Some("datum:genesis") "first light" Some(("datum", "genesis")) []"#);
    insta::assert_snapshot!(shown("[I2I:VOCab:NEW] patterns — 47 entries"), @r#"VOCab Some("NEW") Some("patterns") "47 entries" None ["the type is not in upper case"]"#);
}

#[test]
fn departures_are_warnings() {
    insta::assert_snapshot!(shown("[I2I:FROBNICATE] a - b"), @r#"FROBNICATE None Some("a") "b" None ["FROBNICATE is no known type", "scope and summary are separated by something else than ' — '"]"#);
    insta::assert_snapshot!(shown("[I2I:LOG] no separator"), @r#"LOG None None "no separator" None ["no scope: 'scope — summary' is expected after the bracket"]"#);
    insta::assert_snapshot!(shown("[I2I:TASK:XXX] a — b"), @r#"TASK Some("XXX") Some("a") "b" None ["XXX is no code of TASK, which has TSK"]"#);
    for separator in [" — ", " – ", " -- ", " - "] {
        let text = format!("[I2I:LOG] a{separator}b");
        let subject = parse(&text).unwrap().unwrap();
        assert_eq!((subject.scope(), subject.to_string()), (Some("a"), text.clone()));
    }
}

#[test]
fn near_misses_say_what_to_write() {
    for (subject, expect) in [
        ("I2I: status", NearMiss::NoBracket),
        ("i2i: status", NearMiss::NoBracket),
        ("[i2i:log] a — b", NearMiss::NoBracket),
        ("[I2I] a — b", NearMiss::NoType),
        ("[I2I:] a — b", NearMiss::NoType),
        ("[I2I:A B] c", NearMiss::BadType),
        ("[I2I:A:B:C] c", NearMiss::BadType),
        ("[I2I:A:] c", NearMiss::BadType),
        ("[I2I:LOG", NearMiss::Unclosed),
        ("[I2I:LOG]", NearMiss::NoText),
        ("[I2I:LOG]text", NearMiss::NoText),
        ("[I2I:LOG]   ", NearMiss::NoText),
        ("[I2I:LOG] a\nKind: vault", NearMiss::NotOneLine),
    ] {
        assert_eq!(parse(subject), Err(expect), "{subject:?}");
        assert!(!expect.hint().is_empty());
    }
    for subject in ["", "fix: a typo", "docs: I2I bottle to all", "I2I bottle: hello", "[i2", "é", "[I2Iß"]
    {
        assert_eq!(parse(subject), Ok(None), "{subject:?}");
    }
}

#[test]
fn a_scope_with_a_url_or_a_path_has_no_sender() {
    for scope in ["https://example.org", "src/a.rs:12", "a: b", "a::b", ":b", "a:"] {
        let text = format!("[I2I:LOG] {scope} — x");
        assert_eq!(parse(&text).unwrap().unwrap().sender_action(), None, "{scope}");
    }
}

#[test]
fn the_table_names_each_type_once() {
    for (at, one) in TYPES.iter().enumerate() {
        assert_eq!(known(one.name), Some(one));
        assert!(TYPES[..at].iter().all(|other| other.name != one.name), "{}", one.name);
    }
    assert_eq!(known("tel").unwrap().name, "TELL");
    assert_eq!(known("NEW"), None);
}

proptest! {
    #[test]
    fn printing_then_parsing_gives_the_same(text in "\\[I2I:[A-Za-z_-]{1,4}(:[A-Z]{1,3})?\\] [ \t\u{a0}ab—–:-]{0,24}") {
        if let Ok(Some(subject)) = parse(&text) {
            let printed = subject.to_string();
            prop_assert_eq!(parse(&printed).unwrap().unwrap(), subject);
        }
    }

    #[test]
    fn parts_survive(kind in "[A-Z]{1,9}", scope in "[a-zé/:.]{1,20}", summary in "[a-z🎉][a-z—é -]{0,20}[a-z]") {
        let text = format!("[I2I:{kind}] {scope} — {summary}");
        let subject = parse(&text).unwrap().unwrap();
        prop_assert_eq!(subject.kind(), &kind);
        prop_assert_eq!(subject.scope(), Some(scope.as_str()));
        prop_assert_eq!(subject.summary(), &summary);
        prop_assert_eq!(subject.to_string(), text);
    }

    #[test]
    fn no_text_panics(text in "(\\[?[Ii]2[Ii][:\\]]?)?\\PC{0,40}") {
        if let Ok(Some(subject)) = parse(&text) {
            let _ = (subject.warnings(), subject.sender_action());
        }
    }
}

#[test]
fn every_real_subject_is_read_and_no_other() {
    let Some(root) = crate::testdata::fleet() else { return };
    let read = |name: &str| std::fs::read_to_string(root.join("commits").join(name)).unwrap();
    let (ours, others) = (read("i2i-subjects.txt"), read("other-subjects.tsv"));
    let mut unknown = std::collections::BTreeMap::<&str, usize>::new();
    let mut scoped = 0;
    for line in ours.lines() {
        let subject =
            parse(line).unwrap_or_else(|e| panic!("{line}: {e}")).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(subject.to_string(), line);
        scoped += usize::from(subject.scope().is_some());
        if subject.known_type().is_none() {
            *unknown.entry(subject.kind()).or_default() += 1;
        }
    }
    let subjects = || others.lines().skip(1).filter_map(|line| line.split('\t').next_back());
    let false_positives: Vec<_> = subjects().filter(|s| matches!(parse(s), Ok(Some(_)))).collect();
    let near = subjects().filter(|s| parse(s).is_err()).count();
    eprintln!(
        "{} read, {scoped} with scope, {} of {} types unknown; others: {} read, {near} near misses of {}",
        ours.lines().count(),
        unknown.values().sum::<usize>(),
        unknown.len(),
        false_positives.len(),
        subjects().count()
    );
    assert!(false_positives.is_empty(), "{false_positives:?}");
}
