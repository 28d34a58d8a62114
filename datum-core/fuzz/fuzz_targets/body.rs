#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| datum_core::fuzzing::body(data));
