//! The head of a request to the keeper, from the file of the program that reads it.
#![no_main]
#![allow(dead_code, reason = "the file is the program's, and its other half is not here")]

#[path = "../../../datum-cli/src/keeper_http/head.rs"]
mod head;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let hosts = ["localhost".to_owned()];
    if let Ok(Some(head)) = head::parse(data, &hosts) {
        assert!(head.size <= data.len() && head.size <= head::HEAD_MAX && head.length <= head::BODY_MAX);
        assert!(head.path.starts_with('/') && !head.path.contains(['.', '%', '?']));
        // What comes behind the head changes nothing of it.
        assert_eq!(head::parse(&data[..head.size], &hosts), Ok(Some(head)));
    }
});
