use super::*;
use crate::AgentName;
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

mod styles;

fn files(root: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut found, mut open) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn fixtures() -> Vec<(String, Vec<u8>)> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/bottles"))
}

#[test]
fn documents_code_and_chapters_are_no_bottles() {
    let bottles = [
        "for-fleet/x.md",
        "FOR-TERN/x.TXT",
        "vessel/for-tern/done/x.md",
        "comments/from-tern/x.md",
        "message-in-a-bottle/x.md",
        "docs/message-in-a-bottle/for-tern/x.md",
        "data/bottles/tern/x.md",
        "BOTTLE-FROM-TERN.md",
        "docs/bottle-on-knots.md",
        "MESSAGE-FROM-TERN-2026-01-01.md",
        "log/x.i2i",
        "i2i/BOTTLE-1.json",
        "for-fleet/open-tool-README.md",
    ];
    let others = [
        "",
        "/",
        "README.md",
        "for-fleet/README.md",
        "for-fleet/readme.txt",
        "message-in-a-bottle/PROTOCOL.md",
        "message-in-a-bottle/from-fleet/TASKS.md",
        "for-tern/run.py",
        "for-tern/vectors/a.json",
        "for-tern/x.yaml",
        "for-tern/.hidden.md",
        "docs/for-developers/x.md",
        "docs/for-tern/x.md",
        "from-scratch/x.md",
        "node_modules/p/for-tern/x.md",
        ".github/for-tern/x.md",
        "for-/x.md",
        "bottle.md",
        "docs/bottle-protocol.md",
        "BOTTLE-TEMPLATE.md",
        "llms-from-scratch/x.md",
        "x.md",
    ];
    for path in bottles {
        assert!(is_bottle_path(path), "{path} is a bottle");
    }
    for path in others {
        assert!(!is_bottle_path(path), "{path} is no bottle");
    }
}

#[test]
fn dates_keep_their_precision() {
    let check = |text: &str, expect: &str| {
        assert_eq!(When::find(text).map_or("-".to_owned(), |when| when.to_string()), expect, "{text}");
    };
    check("2026-01-31", "2026-01-31");
    check("on 2026/1/3.", "2026-01-03");
    check("2026-01-31T08:30:05.123Z", "2026-01-31T08:30:05Z");
    check("2026-01-31 08:30", "2026-01-31T08:30");
    check("2026-01-31 08:30 UTC-8", "2026-01-31T08:30-08:00");
    check("2026-01-31, 8:30 PM (PST)", "2026-01-31T20:30-08:00");
    check("2026-01-31 12:05 am", "2026-01-31T00:05");
    check("2026-01-31 08:30 +0530", "2026-01-31T08:30+05:30");
    // India, Ireland and Israel share these letters; the reader decides.
    check("2026-01-31 08:30 IST", "2026-01-31T08:30 IST");
    check("2026-01-31 ~08:30", "2026-01-31");
    check("2026-01-31 25:00", "2026-01-31");
    check("Jan 3rd, 2026 at 09:00 UTC", "2026-01-03T09:00Z");
    check("Tue, 3 February 2026 10:00:00 GMT", "2026-02-03T10:00Z");
    check("31 Feb 2026, or 2026-02-28", "2026-02-28");
    for none in [
        "",
        "2026",
        "May 2026",
        "1.2.3",
        "20260131",
        "2026-13-01",
        "03/04/2026",
        "12345-01-01",
        "Maybe 3, 2026",
    ] {
        check(none, "-");
    }
    let moment = When::find("2026-01-31 08:30 AKST").unwrap().timestamp().unwrap();
    assert_eq!(moment.to_string(), "2026-01-31T17:30:00Z");
    assert_eq!(When::find("2026-01-31 08:30").unwrap().timestamp(), None);
}

#[test]
fn agents_are_named_or_refused() {
    let check = |raw: &str, expect: &str| {
        let shown = |agent: &AgentRef| {
            let name = agent.name.as_ref().map_or("-", AgentName::as_str);
            format!("{}/{name}", agent.text)
        };
        let list: Vec<String> = AgentRef::read_list(raw).iter().map(shown).collect();
        assert_eq!(list.join("; "), expect, "{raw}");
    };
    check("Heron2 🔮 (north shore, night)", "Heron2/heron2");
    check(
        "Heron, Tern ⚓ + Wren K and Plover (a, b)",
        "Heron/heron; Tern/tern; Wren K/wren-k; Plover/plover",
    );
    check("Heron, heron, HERON", "Heron/heron");
    check("All Fleet Agents, any-vessel", "All Fleet Agents/-; any-vessel/-");
    check("harbour/tern", "tern/tern");
    check("[Heron](https://example.com)", "Heron/heron");
    check("@heron <heron@example.com>", "heron/heron");
    check("Zoë", "Zoë/-");
    check("a\u{202e}b\u{1b}[31m", "");
    for none in
        ["", " ", "YOUR-NAME", "<agent>", "{{from}}", "[agent]", "TBD", "2026", "n/a", "🔮", "../..", "— — —"]
    {
        check(none, "");
    }
}

#[test]
fn values_are_stated_or_missing() {
    let sender = |path: &str, text: &str| read(path, text.as_bytes()).sender.map(|r| r.value.text);
    // An arrow between topics, a quotation, a list item, a state with a picture, a section that is called "From".
    assert_eq!(sender("for-fleet/a.md", "# Parser → Lexer\n\nwords\n"), None);
    assert_eq!(sender("for-fleet/a.md", "# A\n\n> \"Go.\"\n— Heron\n"), None);
    assert_eq!(sender("for-fleet/a.md", "# A\n\n- one\n- Heron\n"), None);
    assert_eq!(sender("for-fleet/a.md", "# A\n\nwords\n\nComplete ✅\n"), None);
    assert_eq!(sender("for-fleet/a.md", "# A\n\n## From\n## To\n"), None);
    assert_eq!(sender("for-fleet/a.md", "# From Zero to Hero — a guide\n\nwords\n"), None);
    assert_eq!(sender("for-fleet/a.md", "# A\n\nwords\n\nReady 🚢\n"), None);
    assert_eq!(sender("for-fleet/a.md", "# A\n\n**Core (v2)** — the engine\n"), None);
    assert_eq!(sender("for-fleet/a.md", "[I2I:FIX] Parser — off by one\n"), None);
    assert_eq!(sender("for-fleet/a.md", "# A\n\n*Generated by Model-7 via Somewhere*\n"), None);
    // The same forms with what makes them names.
    assert_eq!(sender("for-fleet/a.md", "# For Tern — From Heron\n\nwords\n").as_deref(), Some("Heron"));
    assert_eq!(sender("for-fleet/a.md", "# Heron reports\n\nwords\n\nHeron ⚓\n").as_deref(), Some("Heron"));
    assert_eq!(
        sender("for-fleet/a.md", "# A\n\n*Generated by Heron ⚓ from notes*\n").as_deref(),
        Some("Heron")
    );
    assert_eq!(
        sender("for-fleet/a.md", "# A\n\nHey Tern,\n\nPlover2 here. Listen.\n").as_deref(),
        Some("Plover2")
    );
    // A field below the rule that ends the head is body, and so is one in a code block.
    assert_eq!(
        sender(
            "for-fleet/a.md",
            "**To:** Tern\n\n---\n\n**From:** Heron\n\nwords\n\nmore\n\nand\n\nso\n\non\n\nfar\n\nyes\n"
        ),
        None
    );
    assert_eq!(sender("for-fleet/a.md", "# A\n```\nFrom: Heron\n```\nwords\n"), None);
    // Everyone writes nothing; a file name's topic is no name.
    assert_eq!(sender("for-fleet/a.md", "From: fleet\n"), None);
    assert_eq!(sender("for-fleet/lessons-from-production.md", "# Lessons\n"), None);
    assert_eq!(sender("for-fleet/2026-01-31-from-one-harbour.md", "one harbour\n"), None);
    // What lies in an agent's box and was written by it is not addressed to it.
    assert_eq!(read("for-tern/a.md", b"From: Tern\n").recipients, None);
}

#[test]
fn bom_crlf_and_broken_text_are_read_and_kept() {
    let text = b"\xef\xbb\xbf---\r\nfrom: Heron\r\nto: Tern\r\n---\r\n\xff\xfe body\0\r\n";
    let bottle = read("for-tern/a.md", text);
    assert_eq!(bottle.sender.unwrap().value.raw, "Heron");
    assert_eq!(bottle.recipients.unwrap().rung, Rung::FrontMatter);
    assert_eq!(bottle.body, text);
    let broken = read("for-tern/a.md", b"**From:** Her\xffon\n**Date:** 2026-01-31\n");
    assert_eq!(broken.sender, None, "a name with a broken byte is no name");
    assert_eq!(broken.date.unwrap().value.to_string(), "2026-01-31");
}

#[test]
fn hostile_text_costs_no_more_than_its_copy() {
    let (long, deep) = ("**From:** ".repeat(400_000), "(".repeat(4_000_000));
    for text in [
        format!("# {long}"),
        format!("From: {deep}"),
        format!("[I2I:{deep}"),
        format!("---\n{}", "a: b\n".repeat(800_000)),
        format!("| {}", "| a ".repeat(1_000_000)),
        "\n".repeat(4_000_000),
        "→".repeat(1_000_000),
        format!("x\n{}", "— Heron ".repeat(500_000)),
    ] {
        assert_eq!(read("for-tern/a.md", text.as_bytes()).body.len(), text.len());
        assert_eq!(read("for-tern/a.yaml", text.as_bytes()).body.len(), text.len());
    }
    let json = "[".repeat(8000);
    assert_eq!(read("bottles/bottle-1.json", json.as_bytes()).sender, None);
}

#[test]
fn a_survey_counts_what_it_saw() {
    let mut files = fixtures();
    files.push(("for-fleet/copy.md".to_owned(), files[0].1.clone()));
    let survey = survey(files.iter().map(|(path, text)| (path, text)));
    assert_eq!(survey.text_lost_bytes, 0);
    assert_eq!(survey.duplicates, Duplicates { contents: 1, copies: 1 });
    assert_eq!(survey.files, survey.bottles + 1, "README.md is no bottle");
    for count in survey.fields.values() {
        assert_eq!(count.rungs.values().sum::<u32>(), count.resolved);
    }
    assert_eq!(survey.styles.values().sum::<u32>(), survey.bottles);
    let json = serde_json::to_value(&survey).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let shape = [
        "version",
        "files",
        "bottles",
        "bytes",
        "text_lost_bytes",
        "layouts",
        "styles",
        "fields",
        "duplicates",
    ];
    assert_eq!(keys, shape);
    assert_eq!(json["fields"]["sender"]["rungs"]["bold-field"], 3);
    for (field, rung) in [(Field::InReplyTo, Rung::I2iScope), (Field::Kind, Rung::FrontMatter)] {
        assert_eq!(serde_json::to_value(field).unwrap(), field.as_str());
        assert_eq!(serde_json::to_value(rung).unwrap(), rung.as_str());
    }
    let table = survey.table();
    assert!(table.lines().all(|line| line.trim_end() == line), "{table}");
    let none: [(&str, &str); 0] = [];
    assert!(super::survey(none).table().contains("0.0%"));
}

/// Real vessels, where the data lies beside the project: the shares the ladder must reach on all of them.
#[test]
fn real_vessels_resolve_above_the_targets() {
    let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fleet");
    let Ok(manifest) = fs::read_to_string(root.join("MANIFEST.tsv")) else {
        eprintln!("SKIPPED: {} is absent, so real bottles were not read", root.display());
        return;
    };
    let mut bottles = Vec::new();
    for line in manifest.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [repo, _, path, kind, ..] = columns.as_slice() else { continue };
        match *kind {
            "bottle" => {
                assert!(is_bottle_path(path), "{repo} {path} is a bottle");
                bottles.push(((*path).to_owned(), fs::read(root.join(repo).join(path)).unwrap()));
            }
            "protocol-doc" | "agent-state" | "journal" | "taskboard" => {
                assert!(!is_bottle_path(path), "{repo} {path} is no bottle");
            }
            _ => {}
        }
    }
    for (path, text) in &bottles {
        assert_eq!(&read(path, text).body, text, "{path}");
    }
    let survey = survey(bottles.iter().map(|(path, text)| (path, text)));
    eprintln!("{}", survey.table());
    assert_eq!(survey.text_lost_bytes, 0);
    for (field, share) in [(Field::Sender, 0.85), (Field::Recipient, 0.90), (Field::Date, 0.94)] {
        assert!(survey.fields[&field].share >= share, "{field:?} {:?}", survey.fields[&field]);
    }
}

fn paths() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("for-tern/a.md".to_owned()),
        Just("bottles/BOTTLE-a.yaml".to_owned()),
        Just("bottles/BOTTLE-a.json".to_owned()),
        "(for|from)-[a-zé/_-]{0,12}\\.(md|i2i|txt)",
        "(BOTTLE|FROM|TO|A|é|2026|-|_|/){0,12}(\\.i2i)?\\.md",
        any::<String>(),
    ]
}

/// Text made of the pieces that the readers look for, so that chance meets their edges.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "\\PC{0,6}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..6),
        prop::sample::select(vec![
            "\n",
            "\r\n",
            "---\n",
            "# ",
            "## ",
            "**",
            "**From:** ",
            "From",
            ": ",
            "：",
            "[I2I:",
            "]",
            " → ",
            "->",
            " — ",
            "Heron",
            "⚓",
            "é",
            "to ",
            "from ",
            "| ",
            "- ",
            "> ",
            "*",
            "2026-01-31",
            "T08:30",
            "May 3, 2026",
            " UTC",
            "```\n",
            "\u{feff}",
            "\u{202e}",
            "(",
            ")",
            ",",
            "/",
            "by ",
            "Regards,\n",
            "{",
            "\"",
            "İ",
            "ß",
        ])
        .prop_map(|text: &str| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read_and_kept(path in paths(), text in texts()) {
        let bottle = read(&path, &text);
        prop_assert_eq!(&bottle.body, &text);
        prop_assert!(bottle.recipients.is_none_or(|recipients| !recipients.value.is_empty()));
        prop_assert_eq!(bottle.layout.is_some(), is_bottle_path(&path));
        let survey = survey([(&path, &text)]);
        prop_assert_eq!(survey.text_lost_bytes, 0);
    }

    #[test]
    fn dates_are_found_in_any_text(text in "\\PC{0,40}", day in 1_i8..29, month in 1_i8..13) {
        let _ = When::find(&text);
        let date = format!("{text} 2026-{month:02}-{day:02}");
        prop_assert!(When::find(&date).is_some());
    }
}
