//! The `datum` command line.
fn main() {}
