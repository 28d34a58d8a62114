//! What is printed is read back, and what is not whole is not taken for it.

use super::*;
use proptest::prelude::*;

const ID: &str = "0123456789012345678901234567890123456789";

fn id(at: usize) -> EntryId {
    EntryId::from_hex(&format!("{at:040}")).unwrap()
}

/// A commit as they follow each other in a log; `extra` makes what is shared another.
fn commit((at, (extra, text)): (usize, (bool, String))) -> Vec<u8> {
    let parent = if at == 0 { String::new() } else { format!("parent {}\n", id(at)) };
    let extra = if extra { format!("gpgsig {at}\n") } else { String::new() };
    let clock = 7123 + at * 2;
    format!(
        "tree {ID}\n{parent}author a <w@datum> 7 +0000\ncommitter c <c> 7 +0000\n{extra}\n\
         title\n\n{text}\n\nKind: task\nAgent: a\nClock: {clock}\nSeq: {}\n",
        at + 1
    )
    .into_bytes()
}

fn log() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec((any::<bool>(), "([ -~\\n]{0,20}|[0-9a-f]{40}|[0-9a-f]{39,42}){0,4}[a-z]"), 1..20)
        .prop_map(|entries| entries.into_iter().enumerate().map(commit).collect())
}

fn slices(commits: &[Vec<u8>]) -> Vec<&[u8]> {
    commits.iter().map(Vec::as_slice).collect()
}

proptest! {
    #[test]
    fn print_and_parse_are_inverse(commits in log()) {
        let last = id(commits.len());
        for (print, header) in FORMATS.into_iter().zip([PARTS, WHOLES]) {
            let bytes = print(&slices(&commits));
            prop_assert!(bytes.starts_with(header));
            let segment = parse(&bytes, last).unwrap();
            let back: Vec<_> = segment.commits().collect();
            let want = commits.iter().enumerate().map(|(at, raw)| (id(at + 1), Cow::Borrowed(&raw[..])));
            prop_assert_eq!(back, want.collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_has_no_parts_is_kept_whole(mut commits in log(), odd in any::<prop::sample::Index>(),
                                       bytes in prop::collection::vec(any::<u8>(), 0..50)) {
        let at = odd.index(commits.len());
        commits[at] = [format!("tree {ID}\nparent {ID}\n").as_bytes(), &bytes].concat();
        let printed = print(&slices(&commits));
        prop_assert!(printed.starts_with(WHOLES));
        let segment = parse(&printed, id(1)).unwrap();
        prop_assert!(segment.commits().map(|(_, raw)| raw.into_owned()).eq(commits));
    }

    #[test]
    fn a_cut_segment_is_never_taken_for_a_whole_one(commits in log(), cut in any::<prop::sample::Index>()) {
        for print in FORMATS {
            let bytes = print(&slices(&commits));
            let cut = parse(&bytes[..cut.index(bytes.len())], id(1));
            prop_assert!(cut.is_none_or(|cut| cut.len() < commits.len()));
        }
    }

    #[test]
    fn parse_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..100), count in 0u64..u64::MAX, size in 0u8..70) {
        let _ = parse(&[WHOLES, &bytes].concat(), id(1));
        let _ = parse(&[PARTS, &bytes].concat(), id(1));
        let counted = [PARTS, format!("{count} {size} {count} {count} {count}\n").as_bytes(), &bytes].concat();
        let _ = parse(&counted, id(1));
        prop_assert!(dense(&counted) <= counted.len());
        let _ = parse(&[PARTS, b"1 20 0 1 1\n", &[1; 20], &bytes[..]].concat(), id(1));
    }
}

/// Pins the format: what is printed today must be read for ever.
#[test]
fn the_format() {
    let log: Vec<_> = [false, true, true]
        .map(|extra| (extra, "text".to_owned()))
        .into_iter()
        .enumerate()
        .map(commit)
        .collect();
    let bytes = print(&slices(&log[..2]));
    let printed = bytes.escape_ascii().to_string();
    let null = "\\x00".repeat(20);
    let first = format!("{}\\x01", "\\x00".repeat(19));
    let tree = "\\x01#Eg\\x89".repeat(4);
    let headers = "tree \\x00\\nauthor a <w@datum>\\ncommitter c <c>\\n";
    let words = "\\nKind: task\\nAgent: a\\n";
    let own = "title\\n\\ntext\\n\\n";
    let table = format!("{null}{first}{tree}{tree}");
    let one = format!("13 1 102\\n{headers}{words}{own}");
    let other = format!("13 2 111\\n{headers}gpgsig 1\\n{words}{own}");
    let head = format!("datum segment 2\\n2 20 2 1 7122\\n{table}");
    assert_eq!(printed, format!("{head}{one}{other}"));
    assert_eq!(bytes[..dense(&bytes)].escape_ascii().to_string(), head);
    assert_eq!(dense(&print::print_wholes(&slices(&log))), 0);
}

#[test]
fn what_is_shared_stands_once_and_only_if_it_is_short() {
    let commits: Vec<_> = (0..9).map(|at| commit((at, (false, "text".to_owned())))).collect();
    let bytes = print(&slices(&commits));
    assert_eq!(memchr::memmem::find_iter(&bytes, "author").count(), 1);
    let long = commit((1, (false, "text".to_owned())));
    assert!(print(&[&long]).starts_with(PARTS));
    let name = format!("committer {}", "c".repeat(4096));
    let long = String::from_utf8(long).unwrap().replace("committer c", &name);
    assert!(print(&[long.as_bytes()]).starts_with(WHOLES));
}

#[test]
fn zero_bytes_places_out_of_order_and_clocks_that_go_back_are_kept_whole() {
    let entry = |at| commit((at, (false, "text".to_owned())));
    let with_zero = commit((1, (false, "te\0xt".to_owned())));
    for log in [vec![entry(0), with_zero], vec![entry(0), entry(2)], vec![entry(1), entry(0)]] {
        let bytes = print(&slices(&log));
        assert!(bytes.starts_with(WHOLES));
        let again =
            parse(&bytes, id(9)).map(|segment| segment.commits().map(|(_, raw)| raw.into_owned()).collect());
        assert_eq!(again, Some(log.clone()).filter(|_| commit::parent(&log[1]).is_some()));
    }
}

#[test]
fn names_sort_as_their_numbers() {
    let last = EntryId::from_hex(&"a".repeat(40)).unwrap();
    let names: Vec<_> = [256, 25_600, 25_601, 1_000_000].map(|end| Name { end, last }.print()).into();
    assert!(names.is_sorted());
    assert_eq!(Name::parse(&names[2].1), Some(Name { end: 25_601, last }));
    assert_eq!(Name::parse("0-aa"), None);
}
