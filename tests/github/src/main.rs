//! Checks every GraphQL document of datum against GitHub's published schema, the file named as argument.

#[path = "../../../datum-cli/src/github/document.rs"]
mod document;

use apollo_compiler::{ExecutableDocument, Schema};
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: github-schema SCHEMA");
        return ExitCode::from(2);
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{path}: {error}");
            return ExitCode::from(2);
        }
    };
    // The published schema defines two fields twice, so it is taken as far as it goes.
    let schema = match Schema::parse(text, &path) {
        Ok(schema) => schema,
        Err(with_errors) => {
            eprintln!("{path}: {} errors of its own", with_errors.errors.len());
            with_errors.partial
        }
    };
    let schema = apollo_compiler::validation::Valid::assume_valid(schema);
    let documents = [
        ("listing", document::listing()),
        ("facts", document::facts()),
        ("now", document::now()),
        ("topics", document::topics(3)),
        ("commits", document::commits(2)),
        ("viewer", document::viewer().to_owned()),
    ];
    let mut bad = 0;
    for (name, text) in documents {
        match ExecutableDocument::parse_and_validate(&schema, text, name) {
            Ok(_) => println!("{name}: valid"),
            Err(with_errors) => {
                bad += 1;
                println!("{name}: {}", with_errors.errors);
            }
        }
    }
    // A check that can find nothing wrong checks nothing.
    let wrong = "query X { repositoryOwner(login: \"x\") { nonsense } }";
    if ExecutableDocument::parse_and_validate(&schema, wrong, "wrong").is_ok() {
        println!("a wrong document was taken for a right one");
        bad += 1;
    }
    ExitCode::from(u8::from(bad > 0))
}
