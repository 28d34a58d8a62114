use proptest::prelude::*;

use super::*;

const SEED: &str = r#"
[agent]
name = "datum"
role = "quartermaster"
description = "Audits and keeps the journal"
version = "0.2.0"

[capabilities]
audit = { confidence = 0.95, description = "Structural audits" }
"fleet-scan" = { confidence = 0.90, description = "Scanning" }

[domains]
security = { level = "intermediate", notes = "boundaries" }
isa-design = { level = "expert", repos = ["flux-spec"] }

[communication]
incoming = ["message-in-a-bottle/for-datum/"]
outgoing = ["message-in-a-bottle/for-{agent}/"]
protocol = "MiB"

[metadata]
last_active = "2026-04-14"
session_count = 8
"#;

fn checked(text: &str) -> String {
    let line = |f: &Finding| format!("{}:{} {:?} {} ({})", f.line, f.column, f.level, f.message, f.hint);
    check(text).iter().map(line).collect::<Vec<_>>().join("\n")
}

fn found(text: &str) -> String {
    let reading = read(text).unwrap();
    let skills = reading.capability.skills.iter().map(|(name, skill)| {
        let confidence = skill.confidence.map_or(String::new(), |c| format!(" {c}"));
        format!("{name}{confidence}: {}", skill.description.as_deref().unwrap_or("-"))
    });
    let warnings =
        reading.warnings.iter().map(|f| format!("{}:{} {:?} {}", f.line, f.column, f.level, f.message));
    skills.chain(warnings).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_seeds_file_conforms_and_survives() {
    assert_eq!(checked(SEED), "");
    let reading = read(SEED).unwrap();
    assert_eq!(reading.warnings, []);
    insta::assert_snapshot!(write(&reading.capability), @r#"
    [agent]
    name = "datum"
    role = "quartermaster"
    description = "Audits and keeps the journal"
    version = "0.2.0"

    [capabilities]
    audit = { confidence = 0.95, description = "Structural audits" }
    fleet-scan = { confidence = 0.90, description = "Scanning" }

    [domains]
    isa-design = { level = "expert", repos = ["flux-spec"] }
    security = { level = "intermediate", notes = "boundaries" }

    [communication]
    incoming = ["message-in-a-bottle/for-datum/"]
    outgoing = ["message-in-a-bottle/for-{agent}/"]
    protocol = "MiB"

    [metadata]
    last_active = "2026-04-14"
    session_count = 8
    "#);
}

#[test]
fn findings_name_line_column_and_remedy() {
    let text = "[agent]\nname = \"Super Z\"\nrole = 7\n\n[capabilities]\na = { confidence = 1.5 }\nb = 'x'\n\
        c = { confidence = nan, description = ' ', tags = [] }\n\n[communication]\nincoming = ['../x', 3]\n\
        protocol = 'smoke'\n\n[metadata]\nlast_active = 2026-04-14\nn = -1\n\n[crew]\n";
    insta::assert_snapshot!(checked(text), @r#"
    1:2 Warning agent.description is missing ()
    1:2 Warning agent.version is missing ()
    2:8 Error agent name "Super Z" must start with a-z or 0-9 (write it as 'super-z')
    3:8 Error agent.role is an integer, not a string ()
    6:1 Error capabilities.'a' has no description ()
    6:20 Error capabilities.'a'.confidence is not from 0 to 1 (0.0 is no confidence, 1.0 is certainty)
    7:5 Error capabilities.'b' is a string, not a table ()
    8:20 Error capabilities.'c'.confidence is not from 0 to 1 (0.0 is no confidence, 1.0 is certainty)
    8:39 Error capabilities.'c'.description is empty ()
    8:44 Warning capabilities.'c' has a key that is not in the schema: 'tags' (the keys are confidence, description, last_used)
    11:13 Error communication.incoming holds '../x', which is not a path inside the repository (use a relative path with '/' and without '..')
    11:21 Error communication.incoming holds an integer, not a string ()
    12:12 Warning communication.protocol is 'smoke', which others may not know (one of MiB, I2I)
    15:15 Error metadata.last_active is a datetime, not a string (put the date between quotes)
    16:5 Error metadata.'n' is not a whole number of 0 or more ()
    18:2 Warning 'crew' is not a section of the schema (the sections are agent, capabilities, domains, communication, metadata)
    "#);
    insta::assert_snapshot!(checked("a = [1,\nb"), @"2:2 Error not TOML: unclosed array, expected `]` ()");
    insta::assert_snapshot!(checked(""), @r#"
    1:1 Error the section [agent] is missing ()
    1:1 Error the section [capabilities] is missing ()
    1:1 Warning the section [communication] is missing (say where messages reach the agent: incoming = ["message-in-a-bottle/for-…/"])
    "#);
}

#[test]
fn the_other_schemas_are_read() {
    let tables = "[agent]\nname='B'\n[capabilities.x]\nconfidence=0.88\nlast_used='2026-04-11'\ndescription='d'\n\
        [communication]\nbottle_path='for-fleet/'\nmud=false\n";
    insta::assert_snapshot!(found(tables), @"
    x 0.88: d
    9:1 Info communication.'mud' has no place in the seed's schema and is left out
    ");
    assert_eq!(read(tables).unwrap().capability.communication.incoming, ["for-fleet/"]);
    let array = "[agent]\nname='Z'\n[[capability]]\ndomain='audit'\nconfidence=9\ndescription='d'\n[skills]\naudit=true\nci=true\nmud=false\n";
    insta::assert_snapshot!(found(array), @"
    audit: d
    ci: -
    5:12 Warning the confidence of 'audit' is not from 0 to 1
    ");
    let lists = "[vessel]\nname='tug'\n[capabilities]\nprimary=['a']\nweaknesses=['b']\nmodel='m'\n";
    insta::assert_snapshot!(found(lists), @"
    a: -
    1:2 Info the identity is read from [vessel], where the seed has [agent]
    5:1 Info capabilities.'weaknesses' has no place in the seed's schema and is left out
    6:1 Info capabilities.'model' has no place in the seed's schema and is left out
    ");
    let package =
        "[crate]\nname='c'\n[provides]\ncapabilities=[{name='x',description='d'},'y']\nexports=['z']\n";
    insta::assert_snapshot!(found(package), @"
    x: d
    y: -
    1:2 Info the identity is read from [crate], where the seed has [agent]
    5:1 Info provides.'exports' has no place in the seed's schema and is left out
    ");
    let flat = "name='d'\nprovides=['p']\nrequires=['q']\n";
    insta::assert_snapshot!(found(flat), @"
    p: -
    1:1 Info the identity is read from the top level, where the seed has [agent]
    3:1 Info 'requires' has no place in the seed's schema and is left out
    ");
    let nested = "[capability]\nname='o'\n[capability.capabilities]\nf='fn f()'\n";
    insta::assert_snapshot!(found(nested), @"
    f: fn f()
    1:2 Info the identity is read from [capability], where the seed has [agent]
    ");
    let layer = "[layer]\nname='protocol'\n[provides]\ntalk='d'\n";
    insta::assert_snapshot!(found(layer), @"
    talk: d
    1:2 Info the identity is read from [layer], where the seed has [agent]
    ");
}

#[test]
fn every_real_file_is_read() {
    let files = crate::testdata::files(|name| name.starts_with("CAPABILITY"));
    for (path, text) in &files {
        let reading = read(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let Capability { agent, skills, .. } = &reading.capability;
        let (read, checked) = (reading.warnings.len(), check(text).len());
        eprintln!("{:?}: {} skills, {read} remarks, {checked} findings", agent.name, skills.len());
        assert!(agent.name.is_some() && !skills.is_empty(), "{}", path.display());
        assert_eq!(super::read(&write(&reading.capability)).unwrap().capability, reading.capability);
    }
}

#[test]
fn bombs_are_refused_or_survived() {
    let large = "#".repeat(SIZE_MAX + 1);
    assert_eq!(read(&large), Err(Error::TooLarge { size: SIZE_MAX + 1 }));
    assert_eq!(check(&large).len(), 1);
    let dots = vec!["a"; 79].join(".");
    let nested =
        (0..79).fold("x = ".to_owned(), |text, _| format!("{text}{{{dots} = ")) + "1" + &"}".repeat(79);
    for text in
        ["a = ".to_owned() + &"[".repeat(200_000), "a = ".to_owned() + &"{a = ".repeat(50_000), nested]
    {
        assert!(!check(&text).is_empty());
        let _ = read(&text);
    }
    let wide: String = (0..20_000).fold(String::new(), |text, n| text + "k" + &n.to_string() + "=1\n");
    assert_eq!(check(&wide).len(), FINDINGS_MAX + 1);
    let one_line = format!("capabilities = {{ {} }}", vec!["k"; 20].join("=1,a.") + "=1");
    let _ = (check(&one_line), read(&one_line));
}

#[test]
fn confidence_is_from_zero_to_one() {
    for bad in [f64::NAN, f64::INFINITY, -0.1, 1.000_000_1] {
        assert_eq!(Confidence::new(bad), None);
    }
    for (value, shown) in [(-0.0, "0.00"), (1.0, "1.00"), (0.9, "0.90"), (0.123, "0.123"), (1e-9, "1e-9")] {
        assert_eq!(Confidence::new(value).unwrap().to_string(), shown);
    }
}

fn sound() -> impl Strategy<Value = Capability> {
    let text = "[ -~é\u{1}\u{202e}\"\\\\\n]{0,8}x";
    let day =
        (2000..2100_i16, 1..=12_i8, 1..=28_i8).prop_map(|(y, m, d)| jiff::civil::date(y, m, d).to_string());
    let path = "[a-z{}]{1,8}(/[a-z .-]{1,6})?/";
    let agent = ("[a-z0-9]{1,8}", text, text, text).prop_map(|(name, role, description, version)| Agent {
        name: Some(name),
        role: Some(role),
        description: Some(description),
        version: Some(version),
    });
    let skill =
        (0.0..=1.0_f64, text, proptest::option::of(day.clone())).prop_map(|(c, description, last_used)| {
            Skill { confidence: Confidence::new(c), description: Some(description), last_used }
        });
    let domain = (prop::sample::select(vec!["expert", "advanced"]), prop::collection::vec(text, 0..2))
        .prop_map(|(level, repos)| Domain { level: Some(level.to_owned()), repos, notes: None });
    let folders = || prop::collection::vec(path.prop_filter("no '..'", |p| !p.contains("..")), 0..2);
    let communication = (folders(), folders()).prop_map(|(incoming, outgoing)| Communication {
        incoming,
        outgoing,
        protocol: Some("MiB".to_owned()),
    });
    let counts = prop::collection::btree_map("[a-z_]{1,6}|é \"", 0..i64::MAX, 0..3);
    let metadata = (proptest::option::of(day), counts)
        .prop_map(|(last_active, counts)| Metadata { last_active, counts });
    let skills = prop::collection::btree_map("[a-zé0-9][a-z._/:+#-]{0,6}", skill, 1..4);
    let domains = prop::collection::btree_map(text, domain, 0..3);
    (agent, skills, domains, communication, metadata).prop_map(
        |(agent, skills, domains, communication, metadata)| Capability {
            agent,
            skills,
            domains,
            communication,
            metadata,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_conforms_and_reads_back(capability in sound()) {
        let text = write(&capability);
        prop_assert_eq!(check(&text), []);
        let reading = read(&text).unwrap();
        prop_assert_eq!(reading.capability, capability);
        prop_assert_eq!(reading.warnings, []);
    }

    #[test]
    fn any_name_and_text_reads_back(name in ".{0,8}", text in "(?s).{0,8}", count in any::<i64>()) {
        let mut capability = Capability::default();
        capability.agent.name = Some(text.clone());
        capability.skills.insert(name.clone(), Skill { description: Some(text), ..Skill::default() });
        capability.domains.insert(name.clone(), Domain::default());
        capability.metadata.counts.insert(name, count);
        prop_assert_eq!(read(&write(&capability)).unwrap().capability, capability);
    }

    #[test]
    fn no_text_panics(text in "(\\[{1,2}(agent|capabilities|capability|provides|domains|metadata)\\]{1,2}\n|[a-z]{1,3} ?= ?(1|nan|'x'|\\[1,'y'\\]|\\{a=1\\}|1979-05-27)\n|\\PC){0,8}") {
        let _ = (check(&text), read(&text));
    }
}
