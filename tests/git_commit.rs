//! `datum git commit|init|write|delete|read`: what is refused leaves nothing behind, and paths mean what they say.

use crate::vessel::Vessel;
use std::fs;

fn write(vessel: &Vessel, path: &str, text: &str) {
    let file = vessel.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn templates_keep_what_is_a_program_and_a_bare_repository_is_one() {
    let vessel = Vessel::new();
    write(&vessel, "mine/run.sh", "#!/bin/sh\n");
    write(&vessel, "mine/plain", "x\n");
    #[cfg(unix)]
    fs::set_permissions(
        vessel.path().join("mine/run.sh"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    vessel.datum(&["git", "init", "one", "--template", "mine"]).ok();
    vessel.git(&["clone", "-q", "--bare", "one", "hub.git"]).ok();
    let address = format!("file://{}/hub.git", vessel.path().display());
    vessel.datum(&["git", "init", "two", "--template", &address]).ok();
    vessel.datum(&["git", "init", "three", "--template", "hub.git"]).ok();
    for made in ["one", "two", "three"] {
        let listed = vessel.git(&["-C", made, "ls-files", "--format=%(objectmode) %(path)"]).ok();
        let program = if cfg!(unix) { "100755" } else { "100644" };
        assert_eq!(listed, format!("100644 plain\n{program} run.sh\n"), "{made}");
    }
}
