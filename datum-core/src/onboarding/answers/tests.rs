//! Files of answers, whole and with slips.

use super::*;

const WHOLE: &str = r#"
[agent]
name = "heron"
role = "lookout"
description = "Looks out"
[capabilities]
audit = { confidence = 0.9, description = "Looks closely" }
[keys]
make = "locked"
[github]
token_env = "MY_TOKEN"
[remote]
name = "none"
sync = false
[hooks]
install = true
commit_msg = "i2i"
[oracle]
greet = "oracle1"
[commit]
declaration = true
[[tasks]]
title = "Look around"
priority = "high"
caps = ["audit"]
"#;

#[test]
fn a_whole_file_is_read() {
    let answers = Answers::read(WHOLE).unwrap();
    assert_eq!(answers.name.as_ref().map(AgentName::as_str), Some("heron"));
    assert_eq!(answers.skills["audit"].confidence.map(Confidence::get), Some(0.9));
    assert_eq!((answers.keys, &answers.remote), (Some(Keys::Locked), &Some(Wanted::None)));
    assert_eq!(answers.token_env, Some(Wanted::This("MY_TOKEN".to_owned())));
    assert_eq!(
        (answers.commit_msg, answers.tasks[0].priority),
        (Some(Wanted::This(Style::I2i)), Priority::High)
    );
    assert_eq!(Answers::read("").unwrap(), Answers::default());
}

#[test]
fn a_slip_is_named_by_its_place_and_a_token_never_repeated() {
    let secret = "ghp_0123456789abcdefghij0123456789abcdef";
    for (text, place, says) in [
        ("[agent]\nnam = \"x\"\n", (2, 1), "unknown field `nam`"),
        ("[agent\n", (1, 7), ""),
        ("[agent]\nname = \"Über\"\n", (2, 8), "agent name"),
        ("[agent]\nrole = \"a\\nb\"\n", (2, 8), "line break"),
        ("[capabilities]\n\"a b\" = {}\n", (2, 1), "capability"),
        ("[capabilities]\na = { confidence = 2.0 }\n", (2, 20), "from 0 to 1"),
        ("[keys]\nmake = \"old\"\n", (2, 8), "new, locked or none"),
        (&format!("[github]\ntoken = \"{secret}\"\n"), (2, 9), "never stands in a file"),
        (&format!("[github]\ntoken_env = \"{secret}\"\n"), (2, 13), "this is a token"),
        ("[[tasks]]\ntitle = \"\"\n", (2, 9), "empty"),
        ("[remote]\nsync = 1\n", (2, 8), "invalid type"),
    ] {
        let error = Answers::read(text).unwrap_err();
        assert_eq!((error.line, error.column), place, "{text}: {error}");
        assert!(error.message.contains(says) && !error.message.contains(secret), "{text}: {error}");
    }
    assert!(Answers::read(&" ".repeat(ANSWERS_MAX + 1)).is_err());
}
