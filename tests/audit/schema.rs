//! JSON schema, as much of it as the excerpt of SARIF's uses; a keyword that is not known here is an error.

use serde_json::Value;

/// Says everything that is wrong with `value`, each with its place.
pub(super) fn check(root: &Value, value: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    look(root, root, value, "", &mut wrong);
    wrong
}

fn look(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    let mut here = Vec::new();
    let mut say = |why: String| here.push(format!("{at}: {why}"));
    for (keyword, wants) in schema.as_object().unwrap() {
        let object = value.as_object();
        match keyword.as_str() {
            "type" if !is(value, wants.as_str().unwrap()) => say(format!("{value} is no {wants}")),
            "enum" if !wants.as_array().unwrap().contains(value) => {
                say(format!("{value} is none of {wants}"));
            }
            "minimum" if value.as_i64() < wants.as_i64() => say(format!("{value} is less than {wants}")),
            "minItems"
                if value.as_array().map(Vec::len) < wants.as_u64().map(|n| usize::try_from(n).unwrap()) =>
            {
                say("too few items".to_owned());
            }
            "uniqueItems" if wants == true => {
                let items: Vec<_> = value.as_array().into_iter().flatten().collect();
                if items.iter().enumerate().any(|(index, item)| items[..index].contains(item)) {
                    say("an item stands twice".to_owned());
                }
            }
            "format" => {
                let text = value.as_str().unwrap_or_default();
                let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
                let whole = wants != "uri" || text.contains("://");
                if !(text.bytes().all(plain) && whole) {
                    say(format!("{value} is no {wants}"));
                }
            }
            "required" => {
                for key in wants.as_array().unwrap() {
                    if object.is_some_and(|object| !object.contains_key(key.as_str().unwrap())) {
                        say(format!("it lacks {key}"));
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (key, below) in object.into_iter().flatten() {
                    if known.is_some_and(|known| known.contains_key(key)) {
                        continue;
                    }
                    match wants {
                        Value::Bool(true) => {}
                        Value::Bool(false) => wrong.push(format!("{at}: {key} is no property of it")),
                        schema => look(root, schema, below, &format!("{at}/{key}"), wrong),
                    }
                }
            }
            "properties" => {
                for (key, schema) in wants.as_object().unwrap() {
                    if let Some(below) = value.get(key) {
                        look(root, schema, below, &format!("{at}/{key}"), wrong);
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    look(root, wants, item, &format!("{at}/{index}"), wrong);
                }
            }
            "anyOf" => {
                let fits = |schema: &Value| {
                    let mut wrong = Vec::new();
                    look(root, schema, value, at, &mut wrong);
                    wrong.is_empty()
                };
                if !wants.as_array().unwrap().iter().any(fits) {
                    wrong.push(format!("{at}: {value} is none of {wants}"));
                }
            }
            "$ref" => {
                let there = root.pointer(wants.as_str().unwrap().trim_start_matches('#')).unwrap();
                look(root, there, value, at, wrong);
            }
            "$comment" | "definitions" | "$schema" | "type" | "enum" | "minimum" | "minItems"
            | "uniqueItems" => {}
            unknown => panic!("the schema says {unknown}"),
        }
    }
    wrong.extend(here);
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        name => panic!("the schema says {name}"),
    }
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let schema: Value = serde_json::from_str(
        r##"{"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
            "a": {"type": "array", "uniqueItems": true, "items": {"$ref": "#/definitions/n"}},
            "u": {"type": "string", "format": "uri-reference"}},
            "definitions": {"n": {"type": "integer", "minimum": 1}}}"##,
    )
    .unwrap();
    let wrong = |text: &str| check(&schema, &serde_json::from_str(text).unwrap()).len();
    assert_eq!(wrong(r#"{"a": [1, 2], "u": "a/b%20c"}"#), 0);
    for bad in [
        r#"{"u": "x"}"#,
        r#"{"a": [0]}"#,
        r#"{"a": [1, 1]}"#,
        r#"{"a": ["x"]}"#,
        r#"{"a": [], "b": 1}"#,
        r#"{"a": [], "u": "a b"}"#,
        r#"{"a": 7}"#,
    ] {
        assert!(wrong(bad) > 0, "{bad}");
    }
}
